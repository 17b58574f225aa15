// The arrows of the house: imports go one way (see CONTRIBUTING.md).
const rooms = [
  'experiment',
  'workflows',
  'activities',
  'worker',
  'learning',
  'unlearning',
  'signatures',
  'artifacts',
  'sources',
  'checkpoints',
  'tracking',
  'report',
  'cli',
]
const may = {
  experiment: [],
  learning: ['experiment'],
  unlearning: ['experiment', 'learning'],
  signatures: ['experiment'],
  artifacts: ['experiment', 'signatures'],
  sources: ['experiment', 'artifacts'],
  checkpoints: ['experiment', 'learning', 'artifacts'],
  // Whom a worker may ask is judged in one place.
  tracking: ['experiment', 'sources'],
  report: ['experiment'],
  activities: [
    'experiment',
    'learning',
    'unlearning',
    'signatures',
    'artifacts',
    'sources',
    'checkpoints',
    'tracking',
    'report',
  ],
  workflows: ['experiment'],
  worker: ['experiment', 'signatures', 'activities', 'workflows'],
  cli: [
    'experiment',
    'learning',
    'signatures',
    'artifacts',
    'sources',
    'checkpoints',
    'report',
    'worker',
    'workflows',
    'activities',
  ],
}
module.exports = {
  forbidden: [
    ...rooms.map((room) => ({
      name: `${room}-imports`,
      severity: 'error',
      from: { path: `^${room}/` },
      to: {
        path: `^(${rooms.join('|')})/`,
        pathNot: `^(${[room, ...may[room]].join('|')})/`,
        dependencyTypesNot: ['type-only'],
      },
    })),
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'workflows-are-deterministic',
      severity: 'error',
      from: { path: '^workflows/' },
      to: {
        pathNot: '^(workflows|experiment)/|node_modules/@temporalio/(workflow|common)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'only-tests-import-tests',
      severity: 'error',
      from: { pathNot: '^tests/' },
      to: { path: '^tests/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.json'] },
  },
}
