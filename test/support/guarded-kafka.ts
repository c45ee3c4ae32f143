import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type AclEntry, AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import { newDecoder, newEncoder, skipTaggedFields } from '../../lib/kafka/kafkajs-internals.ts';
import { compactLength, NO_TAGS, type WireRequest } from '../../lib/kafka/wire-request.ts';
import { cluster } from './kafka-wire.ts';
import { withAdmin } from './topics.ts';
import { waitFor } from './wait-for.ts';

const ITERATIONS = 4096;
const SCRAM = {
  'SCRAM-SHA-256': { mechanism: 1, digest: 'sha256', bytes: 32 },
  'SCRAM-SHA-512': { mechanism: 2, digest: 'sha512', bytes: 64 },
} as const;
export type ScramMechanism = keyof typeof SCRAM;

/** Makes the user, or gives it another password. */
export async function setPassword(user: string, password: string, kind: ScramMechanism, at: string[]): Promise<void> {
  const { mechanism, digest, bytes } = SCRAM[kind];
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, bytes, digest);
  const head = newEncoder().writeUVarInt(compactLength(0)).writeUVarInt(compactLength(1));
  head.writeUVarIntString(user).writeInt8(mechanism).writeInt32(ITERATIONS).writeUVarInt(compactLength(salt.length));
  const between = newEncoder().writeUVarInt(compactLength(bytes)).buffer;
  // Tagged fields of the entry, and of the request.
  const body = [head.buffer, salt, between, salted, newEncoder().writeUVarInt(NO_TAGS).writeUVarInt(NO_TAGS).buffer];
  const request: WireRequest<number[]> = {
    api: { key: 51, name: 'AlterUserScramCredentials', version: 0, flexible: true },
    body,
    decode(payload) {
      const decoder = newDecoder(payload);
      decoder.readInt32();
      const results = decoder.readUVarIntArray(() => {
        decoder.readUVarIntString();
        const errorCode = decoder.readInt16();
        decoder.readUVarIntString();
        skipTaggedFields(decoder);
        return errorCode;
      });
      return results ?? [];
    },
    throttleMs: () => 0,
    heldMs: 0,
  };
  const errors = await cluster(at).ask(request, `the password of ${user}`);
  if (errors.some((code) => code !== 0)) throw new Error(`AlterUserScramCredentials was answered ${errors.join(', ')}`);
}

/** One right on one resource. */
export interface Right {
  readonly operation: 'Read' | 'Write' | 'DescribeConfigs';
  readonly resource: 'topic' | 'group' | 'transactional-id' | 'cluster';
  readonly name: string;
  readonly prefixed: boolean;
}

/** The rights that the commands in docs/configuration.md give the word count, one by one, for a job and topics of other names. */
export function rightsInDocs(names: { readonly job: string; readonly input: string; readonly output: string }): Right[] {
  const renamed = new Map([
    ['flink_kafka', names.input],
    ['flink_kafka2', names.output],
    ['word-count', names.job],
    ['word-count-', `${names.job}-`],
  ]);
  const commands = readFileSync('docs/configuration.md', 'utf8').matchAll(/^ {4}acl (--operation .*)$/gm);
  return [...commands].flatMap(([, options = '']) => {
    const [, resource, named] = / --(topic|group|transactional-id|cluster)(?: ([^ -][^ ]*))?/.exec(options) ?? [];
    const name = resource === 'cluster' ? 'kafka-cluster' : renamed.get(named ?? '');
    if (resource === undefined || name === undefined) throw new Error(`not understood: acl ${options}`);
    const operations = [...options.matchAll(/--operation (\w+)/g)].map(([, operation]) => operation);
    const prefixed = options.includes('--resource-pattern-type prefixed');
    return operations.map((operation) => ({ operation, resource, name, prefixed }) as Right);
  });
}

const OPERATIONS = {
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
  DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
} as const;
const RESOURCES = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  'transactional-id': AclResourceTypes.TRANSACTIONAL_ID,
  cluster: AclResourceTypes.CLUSTER,
} as const;

/** Gives the user these rights, and waits until the broker goes by them. */
/** Takes away all rights on the topic. */
export async function revoke(user: string, topic: string, at: string[]): Promise<void> {
  await withAdmin(
    (admin) =>
      admin.deleteAcls({
        filters: [
          {
            principal: `User:${user}`,
            operation: AclOperationTypes.ANY,
            permissionType: AclPermissionTypes.ANY,
            resourceType: AclResourceTypes.TOPIC,
            resourceName: topic,
            resourcePatternType: ResourcePatternTypes.LITERAL,
          },
        ],
      }),
    at,
  );
}

export async function grant(user: string, rights: readonly Right[], at: string[]): Promise<void> {
  const acl = rights.map(
    ({ operation, resource, name, prefixed }): AclEntry => ({
      principal: `User:${user}`,
      host: '*',
      operation: OPERATIONS[operation],
      permissionType: AclPermissionTypes.ALLOW,
      resourceType: RESOURCES[resource],
      resourceName: name,
      resourcePatternType: prefixed ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
    }),
  );
  await withAdmin(async (admin) => {
    await admin.createAcls({ acl });
    await waitFor(`the rights of ${user}`, async () => {
      const { resources } = await admin.describeAcls({
        principal: `User:${user}`,
        operation: AclOperationTypes.ANY,
        permissionType: AclPermissionTypes.ANY,
        resourceType: AclResourceTypes.ANY,
        resourcePatternType: ResourcePatternTypes.ANY,
      });
      return resources.flatMap(({ acls }) => acls).length === acl.length;
    });
  }, at);
}
