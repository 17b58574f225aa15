import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkedPictures } from '../../activities/inputs/checked-pictures.ts'
import { findDataDirectory } from '../../activities/inputs/data-directory.ts'
import { readDataset, type Dataset } from '../../datasets/index.ts'
import { size } from '../../common/size.ts'
import { UserError } from '../../common/errors.ts'
import { located } from '../../experiment/spec/config.ts'
import { whiteOf } from '../../experiment/spec/white.ts'
import { contactSheet } from '../data/contact-sheet.ts'
import { inspected, setNames, type InspectedData } from '../data/inspected-data.ts'
import { readConfig } from '../launch/read-config.ts'
import { runSettings } from '../launch/run-settings.ts'
import { counted } from '../output/format.ts'
import { coloursOf, columns, print, printError, printJson } from '../output/print.ts'
import { readerFor } from '../plugins/load.ts'
import { newFolder } from '../workspace/new-folder.ts'

interface DataInspectOptions {
  readonly set?: readonly string[]
  readonly names?: true
  readonly images?: string
  readonly json?: true
}

/**
 * `zeroshift data inspect CONFIG`: shows the classes, the sizes of the sets before samples are
 * forgotten, and problems of the data. Throws a UserError for data that cannot be read.
 */
export async function dataInspect(
  config: string,
  { set = [], names, images, json }: DataInspectOptions,
): Promise<number> {
  const source = { config, overrides: set }
  const parsed = await readConfig(source)
  const { data, seed } = parsed.spec
  try {
    const plugin = await readerFor(data)
    const directory = await findDataDirectory(data, runSettings(source, parsed), printError, plugin)
    const dataset = await readDataset(data, directory, {
      decodingCache: checkedPictures,
      notify: printError,
      plugin,
    })
    const found = await inspected(data, seed.data, dataset)
    const sheet = images === undefined ? undefined : await writeSheet(dataset, images)
    if (json) printJson(jsonOf(dataset, found, { names: names ?? false, sheet }))
    else for (const line of linesOf(dataset, found, { names: names ?? false, sheet })) print(line)
  } catch (error) {
    throw error instanceof UserError ? located(error, parsed.locate) : error
  }
  return 0
}

/** Writes the contact sheet into a new folder. Returns its path. */
async function writeSheet(dataset: Dataset, folder: string): Promise<string> {
  const png = await contactSheet(dataset)
  await newFolder(folder, (path) => writeFile(join(path, SHEET), png), '--images')
  return join(folder, SHEET)
}

const SHEET = 'samples.png'

interface Shown {
  readonly names: boolean
  readonly sheet: string | undefined
}

function jsonOf(
  { facts, labels, names: named }: Dataset,
  { setOf, counts, problems }: InspectedData,
  { names, sheet }: Shown,
): object {
  const [height, width, channels] = facts.shape
  return {
    ...{ name: facts.name, height, width, channels, dtype: 'uint8', greatest: whiteOf(facts) },
    classes: facts.classes.map((name, index) => ({ index, name, ...counts[index] })),
    ...{ sources: facts.sources, citation: facts.citation, problems, sheet: sheet ?? null },
    ...(names && {
      samples: Array.from(labels, (label, index) => ({
        ...{ index, set: setOf[index], class: label },
        ...(named?.[index] !== undefined && { name: named[index] }),
      })),
    }),
  }
}

function linesOf(
  { facts, labels, names: named }: Dataset,
  { setOf, counts, problems }: InspectedData,
  { names, sheet }: Shown,
): readonly string[] {
  const { bold, yellow } = coloursOf(process.stdout)
  const [height, width, channels] = facts.shape
  const total = setNames.map((name) => counts.reduce((sum, count) => sum + count[name], 0))
  const rows = facts.classes.map((name, i) => [
    String(i),
    name,
    ...setNames.map((set) => counts[i]?.[set] ?? 0),
  ])
  return [
    `${bold(facts.name)}: ${counted(labels.length, 'image')} of ${height} × ${width} pixels, ${counted(channels, 'channel')}, bytes from 0 to ${whiteOf(facts)}, ${facts.classes.length} classes`,
    '',
    aligned([
      ['INDEX', 'CLASS', ...setNames.map((name) => name.toUpperCase())],
      ...rows,
      ['', 'total', ...total],
    ]),
    '',
    ...facts.sources.map(({ name, bytes }) => `${name}, ${size(bytes)}`),
    `Source: ${facts.citation}`,
    ...(sheet === undefined ? [] : [`Samples, one row for each class: ${sheet}`]),
    ...(names
      ? [
          '',
          columns([
            ['SAMPLE', 'SET', 'CLASS', ...(named ? ['NAME'] : [])],
            ...Array.from(labels, (label, i) => [
              ...[String(i), setOf[i] ?? '', facts.classes[label] ?? ''],
              ...(named ? [named[i] ?? ''] : []),
            ]),
          ]),
        ]
      : []),
    '',
    ...(problems.length === 0
      ? ['No problems found.']
      : problems.map((problem) => yellow(`Problem: ${problem}`))),
  ]
}

/** A table whose columns after the second are aligned to the right. */
function aligned(rows: readonly (readonly (string | number)[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => String(row[column] ?? '').length))
  return columns(
    rows.map((row) => row.map((cell, i) => (i < 2 ? String(cell) : String(cell).padStart(width(i))))),
  )
}
