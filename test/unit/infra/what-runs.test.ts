import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { describeJob } from '../../../host/job/describe.ts';
import { checkBundle } from '../../../infra/functions/check-bundle.ts';
import { JOB_IN_BUNDLE, writeBundle } from '../../../infra/functions/write-bundle.ts';
import { readSettings } from '../../../infra/settings.ts';

// Each loads a job in processes of its own, and most bundle it.
vi.setConfig({ testTimeout: 60_000 });

const API = fileURLToPath(new URL('../../../lib/api/index.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'onceflow-what-runs-'));
afterAll(() => rmSync(folder, { recursive: true }));

let projects = 0;
/** A folder with these files, as a user's project has them; `job.ts`, or what `entry` names, is the job. */
function project(files: Readonly<Record<string, string>>, entry = 'job.ts'): { readonly root: string; readonly entry: string } {
  const root = join(folder, `project-${projects++}`);
  for (const [name, text] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return { root, entry: join(root, entry) };
}

/** A job whose source reads `topic`, an expression. `before` and `serde` stand before it, and in it. */
const job = ({ before = '', topic = "'orders'", serde = 'utf8' }: { before?: string; topic?: string; serde?: string } = {}) => `
import { defineJob, kafkaSink, kafkaSource, utf8 } from '${API}';
${before}
export default defineJob('orders', (job) => {
  job.source('read-orders', kafkaSource({ topic: ${topic}, value: ${serde} })).sink('write-orders', kafkaSink({ topic: 'out', value: utf8 }));
});
`;

/** Most is of the job's module alone, and the engine takes a second to bundle: these share with the job what its functions do, and do nothing. */
const IDLE_FUNCTIONS = (() => {
  const text = `import { defineJob } from '${API}';\nexport const handler = () => defineJob;\n`;
  const { entry: module } = project({ 'idle.ts': text }, 'idle.ts');
  return Object.fromEntries(['coordinator', 'source', 'operator', 'sink'].map((role) => [role, module]));
})();

interface Synth {
  readonly machine?: Record<string, string>;
  readonly parameters?: Record<string, string>;
  /** @default IDLE_FUNCTIONS in its place */
  readonly withEngine?: boolean;
}

/** What a synth does with the job: reads the settings, bundles it, and loads the bundle. */
function synthesize(entry: string, { machine = {}, parameters = {}, withEngine = false }: Synth = {}) {
  const given = { ONCEFLOW_JOB: entry, ONCEFLOW_BROKERS: 'broker.example.com:9092', ...parameters };
  const settings = readSettings(given, {}, machine);
  const bundle = mkdtempSync(join(folder, 'bundle-'));
  const sources = withEngine ? writeBundle(entry, bundle) : writeBundle(entry, bundle, IDLE_FUNCTIONS);
  const environment = { ...settings.environment, ONCEFLOW_JOB: JOB_IN_BUNDLE };
  checkBundle(bundle, { entry, sources, here: settings.job, environment, machine });
  return { settings, bundle };
}

describe('what a job reads of the environment', () => {
  const machine = { ORDERS_TOPIC: 'orders-prod' };

  it.each<[string, string]>([
    ['by name', job({ topic: "process.env['ORDERS_TOPIC'] ?? 'orders-dev'" })],
    ['of node:process', job({ before: "import { env } from 'node:process';", topic: "env.ORDERS_TOPIC ?? 'orders-dev'" })],
    ['by destructuring', job({ before: 'const { ORDERS_TOPIC } = process.env;', topic: "ORDERS_TOPIC ?? 'orders-dev'" })],
    ['where it shows in nothing', job({ before: "const isProd = process.env.ORDERS_TOPIC === 'orders-prod';\nvoid isProd;" })],
    ['only while it runs', job({ before: 'export const later = () => process.env.ORDERS_TOPIC;' })],
  ])('%s is refused when its functions would not have it: with the variable, the place, and the mend', (_how, text) => {
    expect(() => synthesize(project({ 'job.ts': text }).entry, { machine })).toThrow(
      /ONCEFLOW_JOB_ENVIRONMENT is not set: .*job\.ts:\d+ it reads ORDERS_TOPIC, which is "orders-prod" here .*add ORDERS_TOPIC to it/,
    );
  });

  it('as a whole is refused, at the place', () => {
    const { entry } = project({ 'job.ts': job({ before: 'const all = { ...process.env };', topic: "all.ORDERS_TOPIC ?? 'orders-dev'" }) });
    expect(() => synthesize(entry, { machine })).toThrow(/at \S*job\.ts:3 it takes the whole environment/);
  });

  it('by way of a package counts as its own; what a package reads for itself does not', () => {
    const files = {
      'node_modules/settings/package.json': '{"name":"settings","type":"module","exports":"./index.js"}',
      'node_modules/settings/index.js': 'export const colors = process.env.FANCY; export const topicIn = (env) => env.ORDERS_TOPIC;',
    };
    const before = "import { colors, topicIn } from 'settings';\nvoid colors;";
    const own = project({ ...files, 'job.ts': job({ before }) });
    synthesize(own.entry, { machine: { ...machine, FANCY: 'yes' } });
    const asked = project({ ...files, 'job.ts': job({ before, topic: "topicIn(process.env) ?? 'orders-dev'" }) });
    expect(() => synthesize(asked.entry, { machine })).toThrow(/it reads ORDERS_TOPIC/);
  });

  it('goes along when ONCEFLOW_JOB_ENVIRONMENT names it', () => {
    const { entry } = project({ 'job.ts': job({ topic: "process.env.ORDERS_TOPIC ?? 'orders-dev'" }) });
    const { settings } = synthesize(entry, { machine, parameters: { ONCEFLOW_JOB_ENVIRONMENT: 'ORDERS_TOPIC' } });
    expect(settings.environment).toEqual({ ONCEFLOW_BROKERS: 'broker.example.com:9092', ORDERS_TOPIC: 'orders-prod' });
    expect(settings.job.plan.stages[0]).toMatchObject({ topic: 'orders-prod' });
  });

  it('must be set when it is named, and needs no name when it is set nowhere', () => {
    const { entry } = project({ 'job.ts': job({ topic: "process.env.ORDERS_TOPIC ?? 'orders-dev'" }) });
    expect(() => synthesize(entry, { parameters: { ONCEFLOW_JOB_ENVIRONMENT: 'ORDERS_TOPIC' } })).toThrow(
      'ORDERS_TOPIC is not set: it must be set, because ONCEFLOW_JOB_ENVIRONMENT names it; set it, or leave it out there',
    );
    expect(synthesize(entry).settings.job.plan.stages[0]).toMatchObject({ topic: 'orders-dev' });
  });
});

describe('the bundle', () => {
  it('keeps the names of classes, by which serdes and dead letters are called', () => {
    const before =
      'class OrderSerde {\n  name = `${this.constructor.name} of ${class RefusedOrder extends Error {}.name}`;\n  read = utf8.read;\n  write = utf8.write;\n}';
    const { entry } = project({ 'job.ts': job({ before, serde: 'new OrderSerde()' }) });
    const { settings } = synthesize(entry, { withEngine: true });
    expect(settings.job.graph.nodes[0]).toMatchObject({ value: 'OrderSerde of RefusedOrder' });
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'is CommonJS',
      {
        'job.cjs': `module.exports = require('${API}').defineJob('orders', (job) => job.source('read', require('${API}').kafkaSource({ topic: 'a', value: require('${API}').utf8 })));`,
      },
      'job.cjs',
    ],
    [
      'was made CommonJS by a compiler',
      {
        'job.cjs': `Object.defineProperty(exports, '__esModule', { value: true }); exports.default = require('${API}').defineJob('orders', (job) => job.source('read', require('${API}').kafkaSource({ topic: 'a', value: require('${API}').utf8 })));`,
      },
      'job.cjs',
    ],
    [
      'imports JSON, and awaits at its top level',
      {
        'topics.json': '{"orders":"from-json"}',
        'job.ts': job({
          before: "import topics from './topics.json' with { type: 'json' };\nconst topic = await Promise.resolve(topics.orders);",
          topic: 'topic',
        }),
      },
      'job.ts',
    ],
    [
      'prints, and leaves something open',
      { 'job.ts': job({ before: "console.log('loading');\nsetInterval(() => console.log('tick'), 10);" }) },
      'job.ts',
    ],
  ])('is the same job when its module %s', (_what, files, entry) => {
    expect(synthesize(project(files, entry).entry).settings.job.name).toBe('orders');
  });

  it.each<[string, Record<string, string>, string, RegExp]>([
    [
      'a file beside the job',
      {
        'topic.txt': 'orders',
        'job.ts': job({
          before: "import { readFileSync } from 'node:fs';",
          topic: "readFileSync(new URL('./topic.txt', import.meta.url), 'utf8')",
        }),
      },
      'job.ts',
      /loaded in the bundle of its functions as it can here: .*ENOENT.*topic\.txt.*files beside the job are not in the bundle/,
    ],
    [
      'a package that no import names',
      {
        'node_modules/topics/package.json': '{"name":"topics","main":"./index.js"}',
        'node_modules/topics/index.js': "module.exports = 'orders';",
        'job.ts': job({ before: "import { createRequire } from 'node:module';", topic: "createRequire(import.meta.url)('top' + 'ics')" }),
      },
      'job.ts',
      /package topics is not in it/,
    ],
    [
      'its own place',
      {
        'job.cjs': `const { defineJob, kafkaSource, utf8 } = require('${API}');\nmodule.exports = defineJob('orders', (job) => job.source('read', kafkaSource({ topic: __dirname.length > 0 ? 'a' : 'b', value: utf8 })));`,
      },
      'job.cjs',
      /__dirname is not defined/,
    ],
    [
      'chance',
      { 'job.ts': job({ topic: '`orders-${Math.random()}`' }) },
      'job.ts',
      /the same job in its functions as here: source read-orders has topic "orders-0\.\d+" here and "orders-0\.\d+" there/,
    ],
    [
      'the machine',
      { 'job.ts': job({ before: "import { basename } from 'node:path';", topic: '`orders-${basename(process.cwd())}`' }) },
      'job.ts',
      /source read-orders has topic "orders-[^"]+" here and "orders-bundle-\w+" there/,
    ],
  ])('is refused when the job needs %s', (_what, files, entry, message) => {
    expect(() => synthesize(project(files, entry).entry)).toThrow(message);
  });

  it('is refused when it cannot be made, with the place', () => {
    const { entry } = project({ 'job.ts': job({ before: "export const later = () => import('./nowhere.ts');" }) });
    expect(() => synthesize(entry)).toThrow(/it must be a module that can be bundled: Could not resolve "\.\/nowhere\.ts" \(.*job\.ts:3\)/);
  });
});

describe('a job that Node cannot load as it is', () => {
  const files = {
    'tsconfig.json': '{"compilerOptions":{"paths":{"@/*":["./src/*"]}}}',
    'node_modules/topics/package.json': '{"name":"topics","type":"module","exports":"./index.ts"}',
    'node_modules/topics/index.ts': "export enum Topic { orders = 'from-a-package' }",
    'src/colors.ts': "export enum Color { red = 'red' }",
    'src/read.ts': 'export const read = process.env.ORDERS_TOPIC;',
  };

  it.each<[string, string, string, string]>([
    ['an enum', "enum Topic { orders = 'from-an-enum' }", 'Topic.orders', 'from-an-enum'],
    ['a path alias of tsconfig.json', "import { Color } from '@/colors.ts';", 'Color.red', 'red'],
    ['an import without an ending', "import { Color } from './colors';", 'Color.red', 'red'],
    ['a workspace package of TypeScript', "import { Topic } from 'topics';", 'Topic.orders', 'from-a-package'],
  ])('for %s is bundled, and is what it is in its bundle', (_what, before, topic, expected) => {
    const { entry } = project({ ...files, 'src/job.ts': job({ before, topic }) }, 'src/job.ts');
    expect(synthesize(entry).settings.job.plan.stages[0]).toMatchObject({ topic: expected });
  });

  it('is told of the environment that it reads by the places in its sources', () => {
    const before = "import { Color } from '@/colors.ts';\nimport { read } from './read.ts';\n";
    const { entry } = project({ ...files, 'src/job.ts': job({ before, topic: 'read ?? Color.red' }) }, 'src/job.ts');
    expect(() => synthesize(entry, { machine: { ORDERS_TOPIC: 'orders-prod' } })).toThrow(/at \S*src\/read\.ts:1 it reads ORDERS_TOPIC/);
  });

  it('and that a bundler cannot make either is refused with what Node said of it', () => {
    const { entry } = project({ ...files, 'src/job.ts': job({ before: "import { Size } from '@/sizes.ts';\nvoid Size;" }) }, 'src/job.ts');
    expect(() => synthesize(entry)).toThrow(/src\/job\.ts: the module cannot be loaded: Cannot find package '@\/sizes.ts'/);
  });

  it('and that throws when it is translated is refused with the place in its source', () => {
    const before = "import { Color } from '@/colors.ts';\nif (Color.red === 'red') throw new RangeError('too red');";
    const { entry } = project({ ...files, 'src/job.ts': job({ before }) }, 'src/job.ts');
    expect(() => synthesize(entry)).toThrow(/src\/job\.ts: the module cannot be loaded: too red \(\S*src\/job\.ts:4\)/);
  });
});

describe('a job that is loaded to see what it is', () => {
  const described = (text: string, withinMs?: number) => {
    const { root } = project({ 'job.ts': text });
    const env = { ONCEFLOW_JOB: './job.ts', ONCEFLOW_BROKERS: 'a:1', ONCEFLOW_BLOBS: 's3://bucket' };
    return describeJob('source', { env, cwd: root, ...(withinMs === undefined ? {} : { withinMs }) });
  };

  it.each([
    ['never ends', 'for (;;);', 1_500, /ONCEFLOW_JOB=\.\/job\.ts: the module is not loaded after 1\.5 s/],
    ['ends its process', 'process.exit(0);', undefined, /the module ended the process that loaded it \(exit code 0\)/],
    ['throws', "throw new RangeError('too many orders');", undefined, /the module cannot be loaded: too many orders \(job\.ts:3\)/],
  ])('and %s is refused, with what it did', (_what, before, withinMs, message) => {
    expect(() => described(job({ before }), withinMs)).toThrow(message);
  });

  it('may be a module of a package, found from the working directory', () => {
    const { root } = project({
      'node_modules/jobs/package.json': '{"name":"jobs","type":"module","exports":{"./orders":{"import":"./orders.js"}}}',
      'node_modules/jobs/orders.js': job(),
    });
    const env = { ONCEFLOW_JOB: 'jobs/orders', ONCEFLOW_BROKERS: 'a:1', ONCEFLOW_BLOBS: 's3://bucket' };
    expect(describeJob('source', { env, cwd: root }).name).toBe('orders');
  });

  it('leaves nothing behind', () => {
    expect(readdirSync(folder).filter((name) => !/^(project|bundle)-/.test(name))).toEqual([]);
  });
});
