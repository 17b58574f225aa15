import { queues } from '../../workflows/names.ts'
import { declareCommand, flag, value, values } from '../declare.ts'
import { device, metricsHost, metricsPort, temporal } from '../options/shared.ts'

export const worker = declareCommand({
  name: 'worker',
  about: 'execute the tasks of runs on a Temporal server, until stopped',
  options: [
    values('--queue <name>', `a task queue to serve, may be repeated: ${queues.join(', ')}; all by default`),
    values('--allow-store <prefix>', 'refuse tasks whose results are not below this prefix; may be repeated'),
    values(
      '--allow-source <prefix>',
      'with --allow-store: data and checkpoints may also be below this prefix; may be repeated',
    ),
    values(
      '--allow-tracking <url>',
      'with --allow-store: an MLflow server that runs may name; may be repeated',
    ),
    flag(
      '--allow-external',
      'execute the external programs and plug-ins of all runs, as the user of this worker; refused by default',
    ),
    device,
    value('--gpu <number>', 'the GPU to compute on, counted from 0; 0 by default'),
    value('--gpus <numbers>', 'start a worker process for each of these GPUs, such as 0,1,2'),
    value('--build-id <id>', 'the version of the worker in a versioned deployment, such as a commit'),
    value(
      '--exit-when-idle <seconds>',
      'end when there was no stage to compute for this time; only with --queue zeroshift-train alone',
    ),
    value('--ready-file <path>', 'a file that exists while the worker asks for tasks'),
    metricsPort,
    metricsHost,
    temporal,
  ],
  action: async () => (await import('../actions/worker.ts')).worker,
})
