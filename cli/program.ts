import { Command } from 'commander'
import { shortened } from '../common/terminal-text.ts'
import { adapterApply } from './commands/adapter-apply.ts'
import { adapterExport } from './commands/adapter-export.ts'
import { adapterInspect } from './commands/adapter-inspect.ts'
import { adapterMerge } from './commands/adapter-merge.ts'
import { cancel } from './commands/cancel.ts'
import { certificate } from './commands/certificate.ts'
import { check } from './commands/check.ts'
import { compare } from './commands/compare.ts'
import { completionOf } from './commands/completion.ts'
import { dataInspect } from './commands/data-inspect.ts'
import { doctor } from './commands/doctor.ts'
import { du } from './commands/du.ts'
import { exportCommand } from './commands/export.ts'
import { forget } from './commands/forget.ts'
import { gc } from './commands/gc.ts'
import { init } from './commands/init.ts'
import { keyNew } from './commands/key-new.ts'
import { keyShow } from './commands/key-show.ts'
import { ledger } from './commands/ledger.ts'
import { purge } from './commands/purge.ts'
import { methods } from './commands/methods.ts'
import { metrics } from './commands/metrics.ts'
import { note } from './commands/note.ts'
import { pause } from './commands/pause.ts'
import { report } from './commands/report.ts'
import { resume } from './commands/resume.ts'
import { rm } from './commands/rm.ts'
import { run } from './commands/run.ts'
import { runs } from './commands/runs.ts'
import { schema } from './commands/schema.ts'
import { setup } from './commands/setup.ts'
import { sign } from './commands/sign.ts'
import { status } from './commands/status.ts'
import { storeCopy } from './commands/store-copy.ts'
import { storeExport } from './commands/store-export.ts'
import { storeImport } from './commands/store-import.ts'
import { sweep } from './commands/sweep.ts'
import { tag } from './commands/tag.ts'
import { track } from './commands/track.ts'
import { ui } from './commands/ui.ts'
import { up } from './commands/up.ts'
import { verify } from './commands/verify.ts'
import { worker } from './commands/worker.ts'
import { declareGroup, type AddCommand } from './declare.ts'
import { printError } from './output/print.ts'

/** All commands in the order of the help text. */
const commands: readonly AddCommand[] = [
  init,
  run,
  sweep,
  forget,
  ledger,
  purge,
  resume,
  pause,
  cancel,
  worker,
  setup,
  up,
  ui,
  status,
  runs,
  tag,
  note,
  report,
  verify,
  compare,
  exportCommand,
  track,
  declareGroup('data', 'look at the data of an experiment', [dataInspect]),
  declareGroup('adapter', "export LoRA adapters from runs in PEFT's layout, and use them on checkpoints", [
    adapterExport,
    adapterInspect,
    adapterMerge,
    adapterApply,
  ]),
  declareGroup('store', 'copy results between stores, or write them to one file', [
    storeCopy,
    storeExport,
    storeImport,
  ]),
  du,
  rm,
  gc,
  check,
  declareGroup('key', 'make and show keys that sign results', [keyNew, keyShow]),
  sign,
  certificate,
  methods,
  metrics,
  schema,
  doctor,
  completionOf(createProgram),
]

/**
 * Returns the command line: all commands with their arguments, options and help texts. A command's
 * action is loaded when the command is executed.
 */
export function createProgram(): Command {
  const program = new Command('zeroshift')
    .description('Durable, reproducible machine-unlearning experiments')
    // main.ts answers it, since the digest of the code takes a moment.
    .option('-V, --version', 'print the version, the commit of a checkout and the digest of the code')
    // Options belong to the command behind whose name they stand.
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError()
    .configureOutput({
      writeErr: (text) => {
        printError(shortened(text.trimEnd()))
      },
    })
    .configureHelp({ showGlobalOptions: true })
  for (const add of commands) add(program)
  return program
}
