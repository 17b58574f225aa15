import { expect, test } from 'vitest'
import { UserError } from '../../../common/errors.ts'
import { programEnvironment, refuseCredentials } from '../../../programs/allowed.ts'
import { taskDirectory } from '../../../programs/task-directory.ts'

const places = taskDirectory('/work')

test.each([
  ['AWS_ACCESS_KEY_ID', 'has the name of a credential'],
  ['AWS_PROFILE', 'has the name of a credential'],
  ['HF_TOKEN', 'has the name of a credential'],
  ['github_token', 'has the name of a credential'],
  ['MY_SECRET_VALUE', 'has the name of a credential'],
  ['MLFLOW_TRACKING_PASSWORD', 'has the name of a credential'],
  ['GOOGLE_APPLICATION_CREDENTIALS', 'has the name of a credential'],
  ['WANDB_API_KEY', 'has the name of a credential'],
  ['ZEROSHIFT_PAYLOAD_KEYS_FILE', 'has the name of a credential'],
  ['ZEROSHIFT_STORE', 'is a setting of Zeroshift'],
  ['ZEROSHIFT_TASK', 'is a setting of Zeroshift'],
  ['HOME', 'is set by Zeroshift'],
  ['OMP_NUM_THREADS', 'is set by Zeroshift'],
  ['A=B', 'is no name of an environment variable'],
  ['', 'is no name of an environment variable'],
])('no program gets the variable %j', (name, says) => {
  const refuse = () => {
    refuseCredentials(['LD_LIBRARY_PATH', name])
  }
  expect(refuse).toThrow(UserError)
  expect(refuse).toThrow(`the variable ${JSON.stringify(name)} ${says}`)
  expect(() => programEnvironment({ places, threads: 1, device: 'cpu', variables: [name] }, {})).toThrow(
    UserError,
  )
})

test('a program on a GPU sees the GPUs of its worker, and a program on the CPU sees none', () => {
  const environment = (device: 'cpu' | 'gpu', from: NodeJS.ProcessEnv) =>
    programEnvironment({ places, threads: 4, device, variables: [] }, from).CUDA_VISIBLE_DEVICES
  expect(environment('gpu', { CUDA_VISIBLE_DEVICES: '2' })).toBe('2')
  expect(environment('gpu', {})).toBeUndefined()
  expect(environment('cpu', { CUDA_VISIBLE_DEVICES: '2' })).toBe('')
})

test('what a config names is passed on as it is', () => {
  const from = { LD_LIBRARY_PATH: '/lib', HF_TOKEN: 'x', PATH: '/bin' }
  expect(
    programEnvironment({ places, threads: 4, device: 'cpu', variables: ['LD_LIBRARY_PATH'] }, from),
  ).toMatchObject({
    PATH: '/bin',
    LD_LIBRARY_PATH: '/lib',
    OMP_NUM_THREADS: '4',
  })
})
