import { isIPv6 } from 'node:net';

/** Where a broker listens. The host is a name or an address, IPv6 without brackets. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

export const BROKERS_RULE = 'host:port (an IPv6 address in brackets: [::1]:9092), or several of them with commas between';

const ADDRESS = /^(?:\[(?<ipv6>[^\]]+)\]|(?<name>[A-Za-z0-9][A-Za-z0-9._-]*)):(?<port>\d{1,5})$/;

/** Undefined for a text that is no `host:port`. */
export function parseBrokerAddress(text: string): BrokerAddress | undefined {
  const { ipv6, name, port } = ADDRESS.exec(text)?.groups ?? {};
  const host = name ?? (ipv6 !== undefined && isIPv6(ipv6) ? ipv6 : undefined);
  const number = Number(port);
  return host !== undefined && number >= 1 && number <= 65_535 ? { host, port: number } : undefined;
}

/** `host:port`, as it is written in ONCEFLOW_BROKERS. */
export function brokerText({ host, port }: BrokerAddress): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
