import { declareCommand, flag, requiredValue } from '../declare.ts'
import { store } from '../options/shared.ts'

export const uiExport = declareCommand({
  name: 'export',
  about: 'write the page with some runs as a folder, which a browser opens from disk',
  arguments: [{ name: '<runs...>', about: 'ids of runs, beginnings of ids, or last for the newest' }],
  options: [
    requiredValue('--out <directory>', 'a new directory'),
    flag('--with-images', 'also write the images of forget samples and their neighbours'),
    store,
  ],
  action: async () => (await import('../actions/ui-export.ts')).uiExport,
})
