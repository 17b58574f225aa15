/**
 * Downloads Temporal's command line as `@temporalio/testing` does, into the given directory. It is
 * a process of its own, since it starts the server.
 */
import { TestWorkflowEnvironment } from '@temporalio/testing'

const [downloadDir] = process.argv.slice(2)
const environment = await TestWorkflowEnvironment.createLocal({
  server: { executable: { type: 'cached-download', downloadDir } },
})
await environment.teardown()
