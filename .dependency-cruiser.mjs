/**
 * Import directions. Every folder of lib/ names what it may import, folders of lib/ all. Everything may import protocol (the words
 * that cross processes), ports, format and config, and these themselves only what they name. Type-only imports count.
 */
const base = ['protocol', 'ports', 'format', 'config'];
const ours = '^(lib|functions|cli|infra|local|jobs|bench|test)/';

const mayImport = {
  protocol: [],
  ports: [],
  format: [],
  config: [],
  graph: [],
  // How a job runs is told from its graph alone, and the same to all who carry it out.
  plan: ['graph'],
  state: [],
  operators: ['graph', 'plan', 'state'],
  api: ['graph', 'plan', 'operators', 'state'],
  transactions: [],
  stages: ['operators', 'state', 'plan', 'transactions', 'storage'],
  // The coordinator speaks to the stages in the words of the protocol, and no more.
  epoch: ['graph', 'plan', 'transactions', 'storage'],
  kafka: [],
  aws: [],
  storage: [],
};

const libRules = Object.entries(mayImport).map(([folder, others]) => {
  const allowed = [folder, ...others, ...base].map((name) => `lib/${name}`);
  return {
    name: `lib-${folder}-imports`,
    comment: `lib/${folder} may import only ${allowed.join(', ')}.`,
    severity: 'error',
    from: { path: `^lib/${folder}/` },
    to: { path: ours, pathNot: allowed.map((path) => `^${path}/`) },
  };
});

const clientRule = (name, packages, owners, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { pathNot: owners },
  to: { path: packages.map((pkg) => `(^|node_modules/)${pkg}(/|$)`) },
});

export default {
  forbidden: [
    ...libRules,
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
      comment: 'A manifest counts as decided where the store has just said so: a permit to commit is made of nothing else.',
      severity: 'error',
      from: { path: '^lib/', pathNot: ['^lib/epoch/coordinator/(decide|read)-manifest[.]ts$'] },
      to: { path: '^lib/protocol/as-decided[.]ts$' },
    },
    {
      name: 'jobs-import-the-api',
      comment: 'A job is written against lib/api alone, as its author sees it.',
      severity: 'error',
      from: { path: '^jobs/' },
      to: { path: ours, pathNot: ['^jobs/', '^lib/api/'] },
    },
    {
      name: 'functions-wire-the-engine',
      comment: 'Handlers know nothing of the infrastructure, the local stack, the benchmarks or the tests.',
      severity: 'error',
      from: { path: '^functions/' },
      to: { path: '^(cli|infra|local|bench|test)/' },
    },
    {
      name: 'cli-imports',
      comment: 'The command works on the store and the brokers directly; it knows no deployment.',
      severity: 'error',
      from: { path: '^cli/' },
      to: { path: ours, pathNot: ['^cli/', '^functions/', '^lib/'] },
    },
    {
      name: 'only-tests-import-the-cli',
      severity: 'error',
      from: { pathNot: '^(cli|test)/' },
      to: { path: '^cli/' },
    },
    {
      name: 'infra-imports',
      comment: "infra knows the functions' names, the parameters and the jobs, never the engine.",
      severity: 'error',
      from: { path: '^infra/' },
      to: { path: ours, pathNot: ['^infra/', '^functions/', '^lib/config/', '^jobs/'] },
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
      ['^lib/kafka/', '^local/(stack/kafka-admin|demo/load)[.]ts$', '^test/'],
      'kafkajs is a transport behind lib/ports. What only creates topics and loads lines around a job uses its public clients, since a JVM for it costs a second; so do tests.',
    ),
    clientRule('aws-clients-only-in-lib-aws', ['@aws-sdk', '@smithy'], ['^lib/aws/', '^test/'], 'AWS clients are behind lib/ports.'),
    clientRule('lambda-types-only-in-functions', ['aws-lambda', '@types/aws-lambda'], ['^functions/'], 'Only handlers know Lambda.'),
    clientRule('cdk-only-in-infra', ['aws-cdk-lib', 'constructs'], ['^infra/', '^test/'], 'Only infra knows the CDK.'),
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'nothing-unresolved',
      severity: 'error',
      from: {},
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
      severity: 'error',
      from: { path: '^(lib|functions|cli|jobs)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
