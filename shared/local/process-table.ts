import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/**
 * When process `pid` started, as this system tells it, or '' when there is none. Two processes can have had one
 * number (in containers soon), but not one number and one start.
 */
export function processIdentity(pid: number): string {
  try {
    if (!existsSync('/proc/self/stat')) return ps('lstart=', pid);
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return '';
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${fields[19]}`;
  } catch {
    return '';
  }
}

/** The command line of process `pid`, or '' when there is none. */
export function processCommand(pid: number): string {
  try {
    if (!existsSync('/proc/self/stat')) return ps('args=', pid);
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function ps(column: string, pid: number): string {
  return execFileSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8' }).trim();
}
