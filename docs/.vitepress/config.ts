import { defineConfig } from 'vitepress'
import { anchorOf } from '../generate/anchors.ts'
import { withoutLinksOut } from './links-out.ts'

const page = (text: string, link: string) => ({ text, link })

export default defineConfig({
  title: 'Zeroshift',
  description: 'Durable, reproducible machine-unlearning experiments',
  lang: 'en-GB',
  cleanUrls: false,
  // Folders of rendered reports have pages of their own.
  srcExclude: ['generate/**', '.vitepress/**'],
  rewrites: { 'results/README.md': 'results/index.md' },
  markdown: {
    // The anchors of GitHub, so that the same links work in both places.
    anchor: { slugify: anchorOf },
    config: withoutLinksOut,
    languageAlias: { text: 'txt' },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      page('Getting started', '/getting-started'),
      page('Methods', '/reference/methods'),
      page('Metrics', '/reference/metrics'),
      page('Results', '/results/'),
    ],
    sidebar: [
      { text: 'Start', items: [page('Overview', '/'), page('Getting started', '/getting-started')] },
      {
        text: 'Guides',
        items: [
          page('Your data', '/guides/your-data'),
          page('Your model', '/guides/your-model'),
          page('Your method', '/guides/your-method'),
          page('Plug-ins', '/guides/plug-ins'),
          page('Python', '/guides/python'),
          page('External programs', '/guides/external-programs'),
          page('Sweeps', '/guides/sweeps'),
          page('Deletion requests', '/guides/deletion-requests'),
          page('Library', '/guides/library'),
          page('Tuning', '/guides/tuning'),
          page('Several machines', '/guides/several-machines'),
          page('GPUs', '/guides/gpus'),
          page('Reading a report', '/guides/reading-a-report'),
          page('Publishing a result', '/guides/publishing-a-result'),
          page('Records of deletion requests', '/guides/deletion-records'),
          page('The page', '/guides/page'),
          page('Operations', '/guides/operations'),
          page('Security', '/guides/security'),
        ],
      },
      {
        text: 'Concepts',
        items: [
          page('Unlearning', '/concepts/unlearning'),
          page('Exact methods', '/concepts/exact-methods'),
          page('Stages and keys', '/concepts/stages'),
          page('Reproducibility', '/concepts/reproducibility'),
          page('Durability', '/concepts/durability'),
          page('Verdicts', '/concepts/verdicts'),
          page('The store', '/concepts/store'),
          page('Telemetry', '/concepts/telemetry'),
          page('Graphs', '/concepts/graphs'),
        ],
      },
      {
        text: 'Reference',
        items: [
          page('Configuration', '/reference/configuration'),
          page('Commands', '/reference/commands'),
          page('Methods', '/reference/methods'),
          page('Data sets', '/reference/data-sets'),
          page('Models', '/reference/models'),
          page('Splits and targets', '/reference/splits'),
          page('Metrics', '/reference/metrics'),
          page('Environment variables', '/reference/environment'),
          page('Contract with external programs', '/reference/program-contract'),
          page('Store layout', '/reference/store-layout'),
          // Pages that TypeDoc writes, with a layout of their own.
          { ...page('Types of the library', '/library/index.html'), target: '_self' },
          page('Glossary', '/glossary'),
        ],
      },
      {
        text: 'Results',
        items: [
          page('Experiments', '/results/'),
          page('Training steps', '/results/steps'),
          page('Sweeps', '/results/sweeps'),
          page('Scale', '/results/scale'),
          page('Streaming', '/results/streaming'),
          page('Ledgers', '/results/ledgers'),
          page('Faults', '/results/faults'),
          page('Store', '/results/store'),
          page('MLflow', '/results/mlflow'),
        ],
      },
      {
        text: 'Development',
        items: [
          page('Architecture', '/development/architecture'),
          page('Recipes', '/development/recipes'),
          page('Tests', '/development/tests'),
          page('Releases', '/development/releases'),
        ],
      },
    ],
  },
})
