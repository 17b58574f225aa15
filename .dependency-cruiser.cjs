/**
 * The arrows of docs/development/architecture.md: what each folder may import, types included.
 * `types` may be imported as types alone.
 */
const folders = {
  common: {},
  host: {},
  experiment: { may: ['common'] },
  datasets: { may: ['common', 'experiment'] },
  learning: { may: ['common', 'experiment', 'datasets'] },
  unlearning: { may: ['common', 'experiment', 'learning'] },
  signatures: { may: ['common', 'experiment'] },
  artifacts: { may: ['common', 'host', 'experiment', 'signatures'] },
  sources: { may: ['common', 'host', 'experiment', 'artifacts'] },
  pretrained: { may: ['common', 'experiment', 'learning', 'artifacts'] },
  programs: { may: ['common', 'experiment', 'datasets', 'artifacts'] },
  tracking: { may: ['common', 'experiment', 'sources'] },
  report: { may: ['common', 'experiment'] },
  workflows: { may: ['common', 'experiment'], types: ['activities'] },
  activities: {
    may: [
      ...['common', 'host', 'experiment', 'datasets', 'learning', 'unlearning', 'signatures', 'artifacts'],
      ...['sources', 'pretrained', 'programs', 'tracking', 'report', 'api'],
    ],
  },
  worker: { may: ['common', 'host', 'experiment', 'signatures', 'artifacts', 'activities', 'workflows'] },
  stack: { may: ['common', 'host', 'worker'] },
  cli: {
    may: [
      ...['common', 'host', 'experiment', 'datasets', 'learning', 'signatures', 'artifacts', 'sources'],
      ...['pretrained', 'programs', 'tracking', 'report', 'workflows', 'activities', 'worker', 'stack'],
      ...['api', 'ui'],
    ],
  },
  ui: { may: ['common', 'host', 'experiment', 'artifacts', 'report', 'activities'] },
  api: {
    may: [
      ...['common', 'host', 'experiment', 'datasets', 'learning', 'unlearning'],
      ...['artifacts', 'report', 'activities', 'cli'],
    ],
  },
}
const names = Object.keys(folders)
const allOf = (list) => `^(${list.join('|')})/`

module.exports = {
  forbidden: [
    ...names.flatMap((name) => {
      const { may = [], types = [] } = folders[name]
      const imports = (rule, allowed, to = {}) => ({
        name: rule,
        severity: 'error',
        from: { path: `^${name}/` },
        to: { path: allOf(names), pathNot: allOf([name, ...allowed]), ...to },
      })
      const values = imports(`${name}-imports`, may, { dependencyTypesNot: ['type-only'] })
      return types.length === 0
        ? [imports(`${name}-imports`, may)]
        : [values, imports(`${name}-imports-types`, [...may, ...types])]
    }),
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'workflows-are-deterministic',
      severity: 'error',
      from: { path: '^workflows/' },
      to: {
        pathNot: '^(workflows|experiment|common)/|node_modules/@temporalio/(workflow|common)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'help-loads-no-action',
      severity: 'error',
      from: { path: '^cli/(declare|program|commands/[^/]+|options/shared)\\.ts$' },
      to: {
        dynamic: false,
        pathNot:
          '^(cli/(declare|commands/[^/]+|options/shared|output/print)|common/terminal-text|learning/tensorflow/device|workflows/names)\\.ts$|node_modules/commander/',
      },
    },
    {
      name: 'page-runs-in-browsers',
      severity: 'error',
      from: { path: '^ui/web/' },
      to: {
        pathNot:
          '^(ui/(web/|contract[.]ts|sweep-columns[.]ts)|common/|experiment/(records|stages|sweep)/|report/)|^(report-style[.]css|vega-lite)$|node_modules/',
      },
    },
    {
      name: 'page-imports-no-module-of-node',
      severity: 'error',
      from: { path: '^ui/web/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'only-the-page-imports-the-page',
      severity: 'error',
      from: { pathNot: '^(ui/web|tests)/' },
      to: { path: '^ui/web/' },
    },
    {
      // Benchmarks are not in the package, and measure some of what tests make.
      name: 'only-tests-import-tests',
      severity: 'error',
      from: { pathNot: '^(tests|bench)/' },
      to: { path: '^tests/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^docs/[.]vitepress/(cache|dist)/' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'] },
  },
}
