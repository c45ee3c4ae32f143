/**
 * Import directions. Every room names what it may import: rooms, or folders of rooms. Type-only imports count.
 */
/** The rooms around the engine. Tests may import everything, and nobody imports them. */
const rooms = {
  // A job is written against the API alone, as its author sees it.
  jobs: ['lib/api', 'lib/formats', 'lib/targets'],
  // Jobs as well, and the command that runs them.
  examples: ['dev', 'lib/api', 'lib/config/usage-error.ts', 'local/command.ts'],
  // The composition root: the one room that knows the engine and all that it runs on.
  host: ['lib'],
  functions: ['host', 'lib/epoch', 'lib/protocol', 'lib/stages'],
  // A command works on the store and the brokers that host opens for it; it knows no deployment.
  cli: [
    'console',
    'dev',
    'host',
    'lib/config',
    'lib/epoch',
    'lib/graph',
    'lib/inspect',
    'lib/ports',
    'lib/protocol',
    'lib/replay',
    'lib/sinks/connectors.ts',
    'lib/sinks/kinds.ts',
    'lib/stages',
    'lib/storage',
    'workers',
  ],
  // A page about a job: what its server reads is read by the engine's own inspection; the page knows the server's answers alone.
  console: [
    'host/job/describe.ts',
    'lib/config',
    'lib/inspect',
    'lib/plan',
    'lib/ports',
    'lib/protocol',
    'lib/replay',
    'lib/sinks/kinds.ts',
    'lib/storage',
    'lib/workers/token.ts',
  ],
  // A job on the machine of its author: the processes and the broker that a checkout starts too.
  dev: ['host', 'lib', 'local/functions', 'local/stack', 'local/event-text.ts', 'local/job-topics.ts', 'local/prerequisites'],
  // A job as processes that run for long, on one machine or several.
  workers: ['dev/interruptions.ts', 'host', 'lib', 'local/functions'],
  // infra knows what a job is, the parameters and the jobs, never the engine.
  infra: ['host/job', 'lib/config', 'jobs'],
  local: ['host', 'functions', 'infra', 'jobs', 'lib'],
  bench: ['host', 'infra', 'jobs', 'lib', 'local'],
  model: ['local'],
  package: [],
  site: ['lib/config/usage-error.ts', 'local/command.ts'],
};
const ours = `^(lib|test|${Object.keys(rooms).join('|')})/`;

/** The folders of the engine. Everything in it may import these (protocol: the words that cross processes): */
const base = ['protocol', 'ports', 'format', 'config'];

const mayImport = {
  protocol: [],
  ports: [],
  format: [],
  config: [],
  state: [],
  // What is on a record's way: everything that works on records speaks of it.
  records: [],
  // Sinks know values and staged output, and nothing of graphs, stages or epochs.
  sinks: ['records'],
  // A graph names the states of its operators, and what its sinks write to.
  graph: ['state', 'sinks'],
  // How a job runs is told from its graph alone, and the same to all who carry it out.
  plan: ['graph', 'sinks'],
  // How far time has come, and what waits for it: pure, of plans and positions.
  time: ['plan'],
  operators: ['graph', 'plan', 'records', 'sinks', 'state'],
  api: ['graph', 'plan', 'operators', 'sinks', 'state'],
  // Formats of other packages, and schema registries: entry points of their own.
  formats: ['graph', 'sinks/files/spec.ts'],
  // Targets that `writeAheadSink` brings rows to, by other packages: entry points of their own.
  targets: ['api', 'graph', 'sinks'],
  stages: ['graph', 'operators', 'records', 'state', 'plan', 'sinks', 'storage'],
  // The coordinator speaks to the stages in the words of the protocol, and no more; and to connectors by their interface. Of snapshots it
  // reads what they say that they are.
  epoch: ['graph', 'plan', 'sinks/connector.ts', 'state/snapshot/head.ts', 'state/stored-state.ts', 'storage', 'time'],
  kafka: [],
  aws: [],
  workers: [],
  sqlite: [],
  storage: [],
  // A whole job in memory, for its author's tests: the engine's parts, each of which is in a process of its own in a deployment.
  testing: ['api', 'graph', 'operators', 'plan', 'records', 'stages', 'state', 'epoch', 'sinks', 'storage', 'time'],
  // What there is to know of a job, for people: it is read here, and shown by others.
  inspect: ['epoch', 'storage', 'sinks', 'time'],
  // Epochs that were decided, run again in one process: the engine's parts, over stores that are only read.
  replay: ['epoch', 'graph', 'operators', 'plan', 'records', 'sinks', 'stages', 'state', 'storage', 'time'],
};

const directionRule = (room, others) => {
  const allowed = [room, ...others];
  return {
    name: `${room.replace('/', '-')}-imports`,
    comment: `${room} may import only ${allowed.join(', ')}.`,
    severity: 'error',
    from: { path: `^${room}/` },
    to: { path: ours, pathNot: allowed.map((path) => (path.endsWith('.ts') ? `^${path}$` : `^${path}[/.]`)) },
  };
};

const directions = [
  ...Object.entries(mayImport).map(([folder, others]) =>
    directionRule(
      `lib/${folder}`,
      [...others, ...base].map((name) => `lib/${name}`),
    ),
  ),
  ...Object.entries(rooms).map(([room, others]) => directionRule(room, others)),
];

const clientRule = (name, packages, owners, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { pathNot: owners },
  to: { path: packages.map((pkg) => `(^|node_modules/)${pkg}(/|$)`) },
});

export default {
  forbidden: [
    ...directions,
    {
      name: 'lib-folders-are-listed',
      comment: 'A new folder of lib/ needs a line in this table.',
      severity: 'error',
      from: {},
      to: { path: '^lib/', pathNot: `^lib/(${Object.keys(mayImport).join('|')})/` },
    },
    {
      name: 'protocol-imports-nothing',
      comment: 'The words that cross processes depend on nothing that a process does.',
      severity: 'error',
      from: { path: '^lib/protocol/' },
      to: { path: '^lib/', pathNot: ['^lib/protocol/'] },
    },
    {
      name: 'a-decision-is-the-stores-to-say',
      comment:
        'A manifest counts as decided where the store has just said so: a permit to commit is made of nothing else. A job in memory has no store but what says so.',
      severity: 'error',
      from: { path: '^lib/', pathNot: ['^lib/epoch/decision/(decide|read)-manifest[.]ts$', '^lib/testing/epochs[.]ts$'] },
      to: { path: '^lib/protocol/as-decided[.]ts$' },
    },
    {
      name: 'connectors-are-behind-their-table',
      comment:
        'A kind of sink is reached by lib/sinks/kinds.ts, a connector by lib/sinks/connectors.ts. Who knows which one it is: its method in the API, what shows transactions to people, dead letters, which are always records of a topic, and a format of files.',
      severity: 'error',
      from: {
        path: '^(lib|host|functions|cli|workers|infra|jobs)/',
        pathNot: ['^lib/(sinks|api|inspect)/', '^lib/operators/source-runtime[.]ts$', '^lib/formats/parquet[.]ts$'],
      },
      to: { path: '^lib/sinks/[^/]+/' },
    },
    {
      name: 'nobody-imports-the-tests',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
    clientRule(
      'kafkajs-only-in-lib-kafka',
      ['kafkajs'],
      ['^lib/kafka/', '^local/(stack/kafka-(admin|js)|demo/load)[.]ts$', '^test/'],
      'kafkajs is a transport behind lib/ports. What only creates topics and loads lines around a job uses its public clients, since a JVM for it costs a second; so do tests.',
    ),
    clientRule('avsc-only-for-avro', ['avsc'], ['^lib/formats/avro/', '^test/'], 'Who does not use Avro does not need the package.'),
    clientRule(
      'protobuf-only-for-protobuf',
      ['@bufbuild/protobuf'],
      ['^lib/formats/protobuf([.]ts$|/)', '^test/'],
      'Who does not use Protobuf does not need the package.',
    ),
    clientRule(
      'clickhouse-only-for-clickhouse',
      ['@clickhouse'],
      ['^lib/targets/clickhouse/', '^test/'],
      'Who does not use ClickHouse does not need the package.',
    ),
    clientRule(
      'parquet-only-for-parquet',
      ['hyparquet-writer'],
      ['^lib/formats/parquet[.]ts$', '^test/'],
      'Who writes no Parquet does not need the package.',
    ),
    clientRule(
      'prom-client-only-for-prometheus',
      ['prom-client'],
      ['^host/telemetry/prometheus[.]ts$', '^test/'],
      'Who has no Prometheus does not need the package.',
    ),
    clientRule(
      'open-telemetry-only-for-telemetry',
      ['@opentelemetry'],
      ['^host/telemetry/', '^test/'],
      'Who has no OpenTelemetry does not need the package.',
    ),
    clientRule('aws-clients-only-in-lib-aws', ['@aws-sdk', '@smithy'], ['^lib/aws/', '^test/'], 'AWS clients are behind lib/ports.'),
    clientRule('lambda-types-only-in-functions', ['aws-lambda', '@types/aws-lambda'], ['^functions/'], 'Only handlers know Lambda.'),
    clientRule('cdk-only-in-infra', ['aws-cdk-lib', 'constructs'], ['^infra/', '^test/'], 'Only infra knows the CDK.'),
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'no-circles-of-types',
      comment: 'Outside of the tests, whose simulated world knows its own parts.',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { circular: true },
    },
    {
      name: 'nothing-unresolved',
      comment: 'The site has packages of its own, which are there where it has been built.',
      severity: 'error',
      from: { pathNot: '^site/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'declared-packages-only',
      comment: 'Import only what package.json declares.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-dev-packages-in-the-engine',
      comment: 'The packages of formats, targets and telemetry are optional peers.',
      severity: 'error',
      from: {
        path: '^(lib|host|functions|cli|workers|jobs)/',
        pathNot: '^(lib/(formats/(avro|protobuf|parquet)|targets/clickhouse)|host/telemetry/(prometheus|open-telemetry)[.]ts$)',
      },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // What is built.
    exclude: { path: '^site/(dist|reference)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
