import { queues } from '../../workflows/names.ts'
import { declareCommand, value, values } from '../declare.ts'
import { device, metricsHost, metricsPort, temporal } from '../options/shared.ts'

export const worker = declareCommand({
  name: 'worker',
  about: 'work for runs on a Temporal server until stopped',
  options: [
    values(
      '--queue <name>',
      `a task queue to serve, may be repeated: ${queues.join(', ')}; all unless given`,
    ),
    values('--allow-store <prefix>', 'refuse tasks whose results are not below it; may be repeated'),
    values(
      '--allow-source <prefix>',
      'with --allow-store: data and checkpoints may be below it, too; may be repeated',
    ),
    values(
      '--allow-tracking <url>',
      'with --allow-store: an MLflow server that runs may name; may be repeated',
    ),
    device,
    value('--gpu <number>', 'which GPU, counted from 0: one a worker; 0 unless given'),
    value('--gpus <numbers>', 'a worker process for each, such as 0,1,2'),
    value('--build-id <id>', 'work as this version of a versioned deployment, such as a commit'),
    value(
      '--exit-when-idle <seconds>',
      'end once there was no stage to compute for so long; with --queue zeroshift-train alone',
    ),
    value('--ready-file <path>', 'a file that is there while the worker asks for work'),
    metricsPort,
    metricsHost,
    temporal,
  ],
  action: async () => (await import('../actions/worker.ts')).worker,
})
