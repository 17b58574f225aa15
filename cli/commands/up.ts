import { declareCommand, flag, negation, value } from '../declare.ts'
import { metricsHost, metricsPort } from '../options/shared.ts'

export const up = declareCommand({
  name: 'up',
  about:
    'run Temporal, S3 and MLflow servers and a worker, until stopped, for other commands in this directory',
  options: [
    value('--port <port>', 'the port of the Temporal server; 7233 or the next free one by default'),
    flag('--ui', "also serve Temporal's web page, on the port 1000 above"),
    value('--s3-port <port>', 'the port of the S3 server; 7070 or the next free one by default'),
    negation('--no-s3', 'start no S3 server: results are read and written as plain files'),
    value('--mlflow-port <port>', 'the port of the MLflow server; 5000 or the next free one by default'),
    negation('--no-mlflow', 'start no MLflow server'),
    metricsPort,
    metricsHost,
  ],
  action: async () => (await import('../actions/up.ts')).up,
})
