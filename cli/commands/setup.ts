import { declareCommand, flag } from '../declare.ts'
import { device } from '../options/shared.ts'
import { setupSearchAttributes } from './setup-search-attributes.ts'

export const setup = declareCommand({
  name: 'setup',
  about: 'set up in advance what the first run would set up, or prepare a Temporal server',
  options: [
    device,
    flag('--with-mlflow', 'also MLflow, which `up` starts'),
    flag('--with-s3', 'also an S3 server, which `up` starts'),
  ],
  subcommands: [setupSearchAttributes],
  action: async () => (await import('../actions/setup.ts')).setup,
})
