/**
 * Import directions. Every folder of lib/ names what it may import: folders of lib/, or single
 * files of them. Everything may import ports, format and config. Type-only imports count.
 */
const base = ['ports', 'format', 'config'];
const ours = '^(lib|functions|cli|infra|local|jobs|bench|test)/';

const mayImport = {
  ports: [],
  format: [],
  config: [],
  graph: [],
  state: [],
  operators: ['graph', 'state'],
  api: ['graph', 'operators', 'state'],
  transactions: [],
  stages: ['operators', 'state', 'graph', 'transactions'],
  // The coordinator speaks to the stages in their requests, names their blobs and their ranges of key groups, and no more.
  epoch: ['graph', 'transactions', 'stages/requests.ts', 'stages/blobs.ts', 'state/key-groups.ts'],
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
    to: { path: ours, pathNot: allowed.map((path) => (path.endsWith('.ts') ? `^${path}$` : `^${path}/`)) },
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
      ['^lib/kafka/', '^local/(stack/kafka-(admin|js)|demo/load)[.]ts$', '^test/'],
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
