import { declareCommand, flag, value } from '../declare.ts'
import { store, temporal } from '../options/shared.ts'
import { uiExport } from './ui-export.ts'

export const ui = declareCommand({
  name: 'ui',
  about: 'serve a web page of all runs, until stopped: live progress, reports, comparisons and sweeps',
  options: [
    value('--port <port>', 'the port of the page; 8090 or the next free one by default'),
    value('--host <address>', 'the address to serve at; 127.0.0.1 by default, any other needs a token'),
    value(
      '--token <text>',
      'the secret that the page asks for; better in ZEROSHIFT_UI_TOKEN, as other users see options',
    ),
    flag(
      '--control',
      'let the page pause, resume, cancel, retry and delete runs; it may only read otherwise',
    ),
    value('--page <folder>', 'serve another build of the page'),
    store,
    temporal,
  ],
  subcommands: [uiExport],
  action: async () => (await import('../actions/ui.ts')).ui,
})
