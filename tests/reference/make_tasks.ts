import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeTaskDirectory } from '../../programs/task-directory.ts'
import { goldenTasks } from '../support/tasks.ts'

/** Writes the golden task directories: npx tsx tests/reference/make_tasks.ts */
for (const [task, input] of Object.entries(goldenTasks)) {
  const directory = join(import.meta.dirname, '../fixtures/programs/golden', task)
  await rm(directory, { recursive: true, force: true })
  await writeTaskDirectory(directory, input)
}
