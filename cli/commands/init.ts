import { declareCommand, value, valueOr } from '../declare.ts'

export const init = declareCommand({
  name: 'init',
  about: 'write a commented config of an experiment into the working directory',
  arguments: [
    { name: '[name]', about: "the experiment's name; the file is NAME.yaml (default: experiment)" },
  ],
  options: [
    valueOr('--data <name>', 'digits or a data set that is downloaded, such as cifar10', 'digits'),
    valueOr('--split <kind>', 'what is forgotten: class, class-fraction or random', 'class'),
    value('--seeds <n>', 'the number of seeds; with 8, methods are tested against gold (default: 1)'),
  ],
  action: async () => (await import('../actions/init.ts')).init,
})
