import { describe, expect, it } from 'vitest';
import { brokerText, parseBrokerAddress } from '../../../lib/config/broker-address.ts';

describe('the address of a broker', () => {
  it.each([
    ['localhost:9092', { host: 'localhost', port: 9092 }],
    ['broker_1.example.com:1', { host: 'broker_1.example.com', port: 1 }],
    ['127.0.0.1:65535', { host: '127.0.0.1', port: 65_535 }],
    ['[::1]:9092', { host: '::1', port: 9092 }],
    ['[2001:db8::7]:9092', { host: '2001:db8::7', port: 9092 }],
    ['[fe80::1%eth0]:9092', { host: 'fe80::1%eth0', port: 9092 }],
  ])('%s is a host and a port, and is written as it was read', (text, address) => {
    expect(parseBrokerAddress(text)).toEqual(address);
    expect(brokerText(address)).toBe(text);
  });

  it.each([
    'localhost',
    ':9092',
    'a:',
    'a:0',
    'a:65536',
    'a:9o92',
    '::1:9092',
    '[::1]',
    '[kafka]:9092',
    '[1::2::3]:9092',
    'kafka://a:9092',
    'a b:1',
  ])('%s is none', (text) => {
    expect(parseBrokerAddress(text)).toBeUndefined();
  });
});
