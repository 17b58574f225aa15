import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureMlflowAuth } from '../../infra/mlflow-auth.mjs'
import { ensureMlflow } from '../../infra/mlflow.mjs'
import { freePort } from '../../host/free-port.ts'
import { startGuarded, untilAnswers } from '../../stack/server.ts'

export const administrator = { name: 'admin', word: 'a long word 4 tests' }

/** MLflow's hook for other ways to authenticate: whoever has the token is the administrator. */
const byToken = (token: string) => `
from flask import request, make_response
from werkzeug.datastructures import Authorization

def authenticate():
    if request.headers.get("Authorization") == "Bearer ${token}":
        return Authorization("basic", {"username": "${administrator.name}", "password": "${administrator.word}"})
    return make_response("who is that?", 401)
`

/**
 * Starts a real MLflow server that requires credentials: the administrator's, or a token when one
 * is given.
 */
export async function mlflowWithAuth(token?: string) {
  const [packages, mlflow, port] = [await ensureMlflowAuth(), await ensureMlflow(), await freePort()]
  const directory = mkdtempSync(join(tmpdir(), 'zeroshift-mlflow-auth-'))
  writeFileSync(join(directory, 'by_token.py'), byToken(token ?? ''))
  writeFileSync(
    join(directory, 'auth.ini'),
    [
      '[mlflow]',
      'default_permission = READ',
      `database_uri = sqlite:///${join(directory, 'auth.db')}`,
      `admin_username = ${administrator.name}`,
      `admin_password = ${administrator.word}`,
      `authorization_function = ${token === undefined ? 'mlflow.server.auth:authenticate_request_basic_auth' : 'by_token:authenticate'}`,
      '',
    ].join('\n'),
  )
  const url = `http://127.0.0.1:${port}`
  const log = join(directory, 'log')
  const server = startGuarded({
    program: mlflow,
    args: [
      ...[
        'server',
        '--app-name',
        'basic-auth',
        '--host',
        '127.0.0.1',
        '--port',
        String(port),
        '--workers',
        '1',
      ],
      ...['--backend-store-uri', `sqlite:///${join(directory, 'mlflow.db')}`],
      ...['--artifacts-destination', join(directory, 'artifacts')],
    ],
    log,
    directory,
    env: {
      PYTHONPATH: `${packages}:${directory}`,
      MLFLOW_AUTH_CONFIG_PATH: join(directory, 'auth.ini'),
      MLFLOW_FLASK_SERVER_SECRET_KEY: 'for tests',
      MLFLOW_DISABLE_TELEMETRY: 'true',
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
    },
  })
  await untilAnswers(server, {
    url: `${url}/health`,
    what: 'MLflow',
    log,
    withinMs: 170_000,
    everyMs: 200,
    tail: 3000,
  })
  return {
    url,
    async stop() {
      await server.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
