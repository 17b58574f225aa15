import type { Path } from '../../common/path.ts'

/** Records a problem at a path of a config. */
export type Report = (path: Path, message: string) => void

/** Records problems of one part of a config, whose paths are relative to that part. */
export function within(part: Path, report: Report): Report {
  return (path, message) => {
    report([...part, ...path], message)
  }
}
