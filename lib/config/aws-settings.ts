import type { ConfigFault } from './fault.ts';

const ENDPOINT = /^AWS_ENDPOINT_URL(_[A-Z0-9_]+)?$/;
const REGION = /^AWS_(DEFAULT_)?REGION$/;

/** What is wrong with the variables of the AWS SDK that lead to its servers: its own errors do not name them. */
export function awsFaults(env: Readonly<Record<string, string | undefined>>): ConfigFault[] {
  return Object.entries(env).flatMap(([option, value]): ConfigFault[] => {
    if (value === undefined || value === '') return [];
    if (ENDPOINT.test(option) && !isServer(value))
      return [
        { option, value, rule: 'the address of a server, e.g. http://127.0.0.1:4566', mend: "correct it, or unset it for AWS's own" },
      ];
    if (REGION.test(option) && !/^[a-z0-9-]+$/.test(value))
      return [{ option, value, rule: 'a region, e.g. us-east-1', mend: 'correct it' }];
    return [];
  });
}

function isServer(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}
