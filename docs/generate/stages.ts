import { settingsByKind, stageKinds } from '../../experiment/stages/stage.ts'
import { code, plain, table } from './markdown.ts'

/** The table of docs/concepts/stages.md: every stage kind. */
export function stageTable(): string {
  return table(
    ['stage', 'what it does'],
    stageKinds.map((kind) => [code(kind), plain(settingsByKind[kind].about)]),
  )
}
