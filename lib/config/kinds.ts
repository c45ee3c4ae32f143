import * as z from 'zod';
import { BLOB_LOCATION_RULE, type BlobLocation, parseBlobLocation } from './blob-location.ts';
import { BROKERS_RULE, parseBrokerAddress } from './broker-address.ts';
import { byName } from './by-name.ts';
import { isName, isTopic, NAME_RULE, TOPIC_RULE } from './names.ts';
import { isSavepointName, SAVEPOINT_NAME_RULE } from './savepoint-name.ts';
import { parseStartingOffsets, STARTING_OFFSETS_RULE, type StartingOffsets } from './starting-offsets.ts';
import { parseSubtasks, type Subtasks } from './subtasks.ts';
import { parseTableLocation, TABLE_LOCATION_RULE } from './table-location.ts';
import { parseWorkerUrl, WORKERS_RULE, type WorkerUrl } from './worker-url.ts';

/** A kind of value: the rule in words, as an error message shows it, and the parser that enforces it. */
export interface Kind<T> {
  /** Completes "must be …". */
  readonly rule: string;
  readonly schema: z.ZodType<T, string>;
}

export function text(rule: string): Kind<string> {
  return { rule, schema: z.string() };
}

export function wholeNumber(min: number, max: number): Kind<number> {
  return {
    rule: `a whole number from ${min} to ${max}, digits only`,
    schema: z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number)
      .pipe(z.number().min(min).max(max)),
  };
}

/** A count, or `unlimited`, which is Infinity. */
export function countOrUnlimited(min: number, max: number): Kind<number> {
  const number = wholeNumber(min, max);
  return {
    rule: `${number.rule}, or unlimited`,
    schema: z.union([z.literal('unlimited').transform(() => Number.POSITIVE_INFINITY), number.schema]),
  };
}

export function oneOf<const T extends string>(...values: readonly [T, ...T[]]): Kind<T> {
  return { rule: `one of ${values.join(', ')}`, schema: z.enum(values) };
}

export const yesNo: Kind<boolean> = {
  rule: 'true or false',
  schema: z.enum(['true', 'false']).transform((word) => word === 'true'),
};

export const name: Kind<string> = {
  rule: NAME_RULE,
  schema: z.string().refine(isName),
};

export const tableName: Kind<string> = {
  rule: 'a DynamoDB table name: 3 to 255 letters, digits, . _ -',
  schema: z.string().regex(/^[A-Za-z0-9._-]{3,255}$/),
};

/** Its text: who opens the table takes it apart. */
export const tableLocation: Kind<string> = {
  rule: TABLE_LOCATION_RULE,
  schema: z.string().refine((text) => parseTableLocation(text) !== undefined),
};

export const topicArn: Kind<string> = {
  rule: 'the ARN of an SNS topic: arn:aws:sns:region:account:name',
  schema: z.string().regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/),
};

export const topic: Kind<string> = {
  rule: TOPIC_RULE,
  schema: z.string().refine(isTopic),
};

export const savepointName: Kind<string> = {
  rule: SAVEPOINT_NAME_RULE,
  schema: z.string().refine(isSavepointName),
};

/** None, or several. */
export const names: Kind<readonly string[]> = {
  rule: `names with commas between (${NAME_RULE})`,
  schema: z.union([z.literal('').transform((): readonly string[] => []), list(isName)]),
};

/** Any text that a Kafka group may be named, without the spaces at the ends that nobody sees. */
export const groupId: Kind<string> = {
  rule: 'a consumer group id of at most 249 letters, digits, . _ -',
  schema: z.string().regex(/^[A-Za-z0-9._-]{1,249}$/),
};

export const brokers: Kind<readonly string[]> = {
  rule: BROKERS_RULE,
  schema: list((item) => parseBrokerAddress(item) !== undefined),
};

export const workerUrls: Kind<readonly WorkerUrl[]> = {
  rule: WORKERS_RULE,
  schema: z.string().transform((value, context) => {
    const urls = value.split(',').map((item) => parseWorkerUrl(item.trim()));
    const known = urls.filter((url) => url !== undefined);
    const isEachOnce = new Set(known.map(({ origin }) => origin)).size === urls.length;
    return isEachOnce ? known : refuse(context);
  }),
};

/** As Lambda takes them, but for those that it sets itself and those that are ours. */
export const variableNames: Kind<readonly string[]> = {
  rule: 'names of environment variables with commas between (letters, digits, _), none that begins with ONCEFLOW_, AWS_ or LAMBDA_',
  schema: list((item) => /^(?!ONCEFLOW_|AWS_|LAMBDA_)[A-Za-z][A-Za-z0-9_]+$/.test(item)),
};

/** The ARN of a resource of one service. `kind` begins what names the resource in it. */
export function arn(what: string, service: string, kind: string, example: string): Kind<string> {
  return {
    rule: `the ARN of ${what}, e.g. ${example}`,
    schema: z.string().regex(new RegExp(`^arn:aws[a-z-]*:${service}:[a-z0-9-]+:\\d{12}:${kind}[A-Za-z0-9/_+=.@-]+$`)),
  };
}

export const blobLocation: Kind<BlobLocation> = {
  rule: BLOB_LOCATION_RULE,
  schema: z.string().transform((url, context) => parseBlobLocation(url) ?? refuse(context)),
};

export const bucketLocation: Kind<Extract<BlobLocation, { readonly kind: 's3' }>> = {
  rule: 's3://bucket, or s3://bucket/prefix',
  schema: z.string().transform((url, context) => {
    const location = parseBlobLocation(url);
    return location?.kind === 's3' ? location : refuse(context);
  }),
};

/** Kept as it is written: it is parsed again where it is resolved. */
export const startingOffsets: Kind<StartingOffsets> = {
  rule: STARTING_OFFSETS_RULE,
  schema: z
    .string()
    .refine((text) => parseStartingOffsets(text) !== undefined)
    .transform((text) => text as StartingOffsets),
};

/** `uid=topic,uid/topic=topic`, each once. */
export const topicsByUid: Kind<Readonly<Record<string, string>>> = {
  rule: 'uid=topic pairs with commas between, each uid once (uid/topic=topic for a sink of several), e.g. read-lines=lines,write-counts=counts',
  schema: pairs((topic) => (isTopic(topic) ? topic : undefined), isSinkTopic),
};

/** A number, or a range of which both bounds are within. */
export function subtasks(min: number, max: number): Kind<Subtasks> {
  return {
    rule: `a whole number from ${min} to ${max}, digits only, or a range of them, the smaller first, e.g. 1..16`,
    schema: z.string().transform((text, context) => parseSubtasks(text, min, max) ?? refuse(context)),
  };
}

/** `stage=n,…` or `stage=n..m,…`, each stage once. */
export function subtasksByStage(min: number, max: number): Kind<Readonly<Record<string, Subtasks>>> {
  return {
    rule: `stage=number pairs with commas between, each stage once, numbers from ${min} to ${max} or ranges of them, e.g. count-words=4 or count-words=1..16`,
    schema: pairs((value) => parseSubtasks(value, min, max)),
  };
}

function list(isItem: (item: string) => boolean): z.ZodType<readonly string[], string> {
  return z.string().transform((value, context) => {
    const items = value.split(',').map((item) => item.trim());
    return items.every(isItem) ? items : refuse(context);
  });
}

function pairs<T>(parseValue: (value: string) => T | undefined, isKey = isName): z.ZodType<Readonly<Record<string, T>>, string> {
  return z.string().transform((value, context) => {
    const found = new Map<string, T>();
    for (const pair of value === '' ? [] : value.split(',')) {
      const [key = '', right, ...rest] = pair.split('=').map((side) => side.trim());
      const parsed = right === undefined || rest.length > 0 ? undefined : parseValue(right);
      if (!isKey(key) || found.has(key) || parsed === undefined) return refuse(context);
      found.set(key, parsed);
    }
    return byName(found);
  });
}

function isSinkTopic(key: string): boolean {
  const [uid = '', ...topics] = key.split('/');
  return isName(uid) && topics.length <= 1 && topics.every(isTopic);
}

/** The kind's rule says what was expected, so the issue itself needs no words. */
function refuse(context: z.RefinementCtx): never {
  context.addIssue({ code: 'custom' });
  return z.NEVER;
}
