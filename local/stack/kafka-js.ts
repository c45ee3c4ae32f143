import { connect } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';
import { BROKERS_RULE, parseBrokerAddress } from '../../lib/config/broker-address.ts';
import { UsageError } from '../../lib/config/usage-error.ts';

/**
 * kafkajs's own client, without TLS and login, for what the engine does not do: to make topics and to write to them. It cuts the text
 * of a broker at every colon, so an IPv6 address is given to it under a name, which is taken back where the socket is made.
 *
 * @param brokers as in ONCEFLOW_BROKERS
 * @throws UsageError: they are no addresses
 */
export function kafkaJsClient(clientId: string, brokers: string): Kafka {
  const addresses = brokers.split(',').map((text) => {
    const address = parseBrokerAddress(text.trim());
    if (address === undefined) throw new UsageError(`ONCEFLOW_BROKERS is ${JSON.stringify(brokers)}: it must be ${BROKERS_RULE}`);
    return address;
  });
  const hosts = new Map(addresses.map(({ host }, index) => [`broker-${index}`, host]));
  return new Kafka({
    clientId,
    brokers: addresses.map(({ port }, index) => `broker-${index}:${port}`),
    logLevel: logLevel.NOTHING,
    socketFactory: ({ host, port, onConnect }) => connect({ host: hosts.get(host) ?? host, port }, onConnect),
  });
}
