import { type LookupAddress, lookup as resolve } from 'node:dns';
import { BlockList, type LookupFunction, isIP } from 'node:net';

/* Addresses that a user's URL must not reach unless its block says so: those of the server's own surroundings. */

const forbidden = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  forbidden.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 127],
  // They hold addresses of version 4 (translated, 6to4, Teredo), which may be anything.
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
  ['100::', 64],
  ['2001:db8::', 32],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  forbidden.addSubnet(network, prefix, 'ipv6');

/** Whether an address is private, local, reserved or no address at all. An IPv4 address in IPv6 form is judged as itself. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  return family === 0 || forbidden.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** A URL leads to an address that it must not reach. */
export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError';
}

/**
 * Finds the addresses of a host for a connection, and refuses where one of them is private. The connection goes to what was
 * checked, so a name that changes its address in between gains nothing.
 */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error) return callback(error, '');
    const [first] = addresses;
    if (first === undefined || addresses.some(({ address }) => isPrivateAddress(address))) return callback(new PrivateAddressError(`${hostname} leads to a private address`), '');
    if (options.all === true) return callback(null, addresses);
    callback(null, first.address, first.family);
  });
};

/** Throws PrivateAddressError where the host of a URL is itself a private address: such a host is never looked up. */
export function refusePrivateHost({ hostname }: URL): void {
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) !== 0 && isPrivateAddress(address)) throw new PrivateAddressError(`${hostname} is a private address`);
}

/** The address of a host that a connection other than by URL goes to. Throws PrivateAddressError, and the error of the look-up. */
export async function findPublicAddress(hostname: string): Promise<string> {
  if (isIP(hostname) !== 0) {
    if (isPrivateAddress(hostname)) throw new PrivateAddressError(`${hostname} is a private address`);
    return hostname;
  }
  return await new Promise((settle, reject) => {
    lookupPublic(hostname, {}, (error, address) => (error ? reject(error) : settle(String(address))));
  });
}
