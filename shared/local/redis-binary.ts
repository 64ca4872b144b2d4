import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import type { LineLog } from './server-process.js';

/** A package manager and how it installs Redis. */
type Installer = { tool: string; packages: string; commands: string[][]; root: boolean };

/** On Debian a new service starts at once and at every boot; only its program is wanted, so both are prevented. */
const aptInstall = `
policy=/usr/sbin/policy-rc.d
[ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && made=1; }
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server
code=$?
[ -z "$made" ] || rm -f $policy
command -v systemctl >/dev/null && systemctl disable redis-server >/dev/null 2>&1
exit $code`;

const installers: Installer[] = [
  {
    tool: 'apt-get',
    packages: 'redis-server',
    commands: [
      ['apt-get', 'update', '-qq'],
      ['sh', '-c', aptInstall],
    ],
    root: true,
  },
  {
    tool: 'dnf',
    packages: 'valkey',
    commands: [['sh', '-c', 'dnf install -y valkey || dnf install -y redis']],
    root: true,
  },
  { tool: 'yum', packages: 'redis', commands: [['yum', 'install', '-y', 'redis']], root: true },
  { tool: 'apk', packages: 'redis', commands: [['apk', 'add', 'redis']], root: true },
  { tool: 'pacman', packages: 'valkey', commands: [['pacman', '-Sy', '--noconfirm', 'valkey']], root: true },
  { tool: 'brew', packages: 'redis', commands: [['brew', 'install', 'redis']], root: false },
];

/**
 * The path of `redis-server` or `valkey-server`. If there is none it is installed, announced first, where that
 * needs no question: by Homebrew, as root, or with a sudo that wants no password; never with MILLRACE_INSTALL=no.
 *
 * @throws {Error} one line that says what to install.
 */
export async function findRedisServer(
  say: LineLog = console.log,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const found = lookUp(env);
  if (found) return found;
  const installer = installers.find(({ tool }) => onPath(tool, env));
  const advice = `Redis is missing: install ${installer ? `it (${installer.packages})` : 'redis-server or valkey-server'}, or set REDIS_URL.`;
  const prefix = installer && mayInstall(installer, env);
  if (!installer || !prefix) throw new Error(advice);

  say(`Redis is missing; installing it with ${installer.tool} (MILLRACE_INSTALL=no forbids this) …`);
  for (const command of installer.commands) {
    const [program = '', ...args] = [...prefix, ...command];
    const ran = spawnSync(program, args, { encoding: 'utf8', env });
    if (ran.status !== 0) {
      const reason = (ran.stderr || String(ran.error ?? `exit code ${ran.status}`)).trim().split('\n').at(-1);
      throw new Error(`${advice} (${installer.tool} failed: ${reason})`);
    }
  }
  const installed = lookUp(env);
  if (!installed) throw new Error(advice);
  return installed;
}

/** What to put before a command, or undefined when it may not or cannot be run. */
function mayInstall(installer: Installer, env: NodeJS.ProcessEnv): string[] | undefined {
  if (env.MILLRACE_INSTALL === 'no') return undefined;
  if (!installer.root) return [];
  if (process.getuid?.() === 0) return [];
  const asked = spawnSync('sudo', ['-n', 'true'], { env });
  return asked.status === 0 ? ['sudo', '-n'] : undefined;
}

function lookUp(env: NodeJS.ProcessEnv): string | undefined {
  return onPath('redis-server', env) ?? onPath('valkey-server', env);
}

function onPath(program: string, env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env.PATH ?? '').split(path.delimiter).filter(Boolean);
  return folders.map((folder) => path.join(folder, program)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
