import { declareCommand, flag, negation, value } from '../declare.ts'
import { metricsHost, metricsPort } from '../options/shared.ts'

export const up = declareCommand({
  name: 'up',
  about:
    'Temporal, S3 and MLflow servers and a worker here, until stopped, for other commands in this directory',
  options: [
    value('--port <port>', 'of the Temporal server; 7233 or the next free one unless given'),
    flag('--ui', "with Temporal's web page, on the port 1000 above"),
    value('--s3-port <port>', 'of the S3 server; 7070 or the next free one unless given'),
    negation('--no-s3', 'without an S3 server: results are read and written as plain files'),
    value('--mlflow-port <port>', 'of the MLflow server; 5000 or the next free one unless given'),
    negation('--no-mlflow', 'without an MLflow server'),
    metricsPort,
    metricsHost,
  ],
  action: async () => (await import('../actions/up.ts')).up,
})
