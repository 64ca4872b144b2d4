import { isIPv6 } from 'node:net';

/**
 * What counts as one caller: an IPv4 address, or the /64 that an IPv6 address is in, because whoever has one of
 * its addresses commonly has them all.
 */
export function networkOf(written: string): string {
  // Some proxies, such as Azure's Application Gateway, write the port along: each connection has another one.
  const withPort = /^(?:\[(.+)\]|(\d+\.\d+\.\d+\.\d+)):\d+$/.exec(written);
  const address = withPort?.[1] ?? withPort?.[2] ?? written;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1]) return mapped[1];
  const [plain = ''] = address.split('%');
  // A proxy may have written anything into its header: it is only a key.
  if (!isIPv6(plain)) return address.slice(0, 64);
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => '0');
  const groups = [...before, ...zeros, ...after].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
