import { digestOf } from '../../common/canonical.ts'
import { modelName } from '../../experiment/spec/model.ts'
import { stringify } from 'yaml'
import type { ResultRow } from '../../experiment/records/results.ts'
import { code, prose, type Block, type Document, type Section } from '../blocks.ts'
import { commandOf } from '../command.ts'
import { describeSeeds, describeSplit } from '../describe.ts'
import type { ReportInput } from '../input.ts'
import type { Judgement } from '../judgement/judge.ts'
import { chartSections } from './charts.ts'
import { areasSection } from './areas.ts'
import { classBarsSection, classesSection } from './classes.ts'
import { confusionSection } from './confusion.ts'
import { judgementSection } from './judgement.ts'
import { marginsSection } from './margins.ts'
import { labelsSection, outcomeSection, problems } from './opening.ts'
import { resultsSection } from './results.ts'
import { rocSection } from './roc.ts'
import { settingSection } from './setting.ts'
import { stageSections } from './stage-sections.ts'
import { stagesSection } from './stages.ts'

/** The report of a run as blocks. */
export function documentOf(
  input: ReportInput,
  rows: readonly ResultRow[],
  judgement: Judgement,
  digest: string,
): Document {
  const { spec, facts, id } = input.run
  const several = describeSeeds(spec)
  const sections = [
    labelsSection(input),
    problems(input),
    outcomeSection(input, rows, judgement),
    judgementSection(input, judgement),
    resultsSection(input, rows),
    ...stageSections.map(({ title, blocks }) => titled(title, blocks(input))),
    classesSection(input),
    areasSection(input),
    classBarsSection(input),
    confusionSection(input),
    rocSection(input),
    marginsSection(input),
    ...chartSections(input, rows),
    settingSection(input),
    stagesSection(input),
    reproductionSection(input, digest),
  ]
  return {
    title: spec.name,
    kind: 'Machine unlearning experiment',
    lead: `${facts.name}, ${modelName(spec.model)}: forgetting ${describeSplit(spec.split, facts)}${several === undefined ? '' : `; ${several}`}`,
    sections: sections.flatMap((section) => section ?? []),
    footer: [
      `Run ${id}. Seconds, devices and versions are the clock's part: they are in `,
      { code: 'report.json' },
      ' beside what was computed, and not in the digest. ',
      { code: 'results.csv' },
      ' has every figure of the results with all of its digits, ',
      { code: 'results.tex' },
      ' the table for a paper.',
    ],
  }
}

function titled(title: string, blocks: readonly Block[] | undefined): Section | undefined {
  return blocks && { title, blocks }
}

function reproductionSection({ run, outcomes }: ReportInput, digest: string): Section {
  return {
    title: 'Reproduce',
    blocks: [
      code(commandOf(run), 'sh'),
      prose(
        'On the same device and number of threads, the run gives the same bytes and this SHA-256 of what was computed:',
      ),
      code(digest),
      ...(outcomes
        ? [
            prose([
              'Accuracies by class, curves and margins are computed from the same logits and are in ',
              { code: 'outcomes.json' },
              ', whose own SHA-256 is:',
            ]),
            code(digestOf(outcomes)),
          ]
        : []),
      {
        kind: 'details',
        summary: 'The whole specification, defaults filled in',
        blocks: [code(stringify(run.spec, { sortMapEntries: true, lineWidth: 0 }), 'yaml')],
      },
    ],
  }
}
