import { Command } from 'commander'
import { shortened } from '../common/terminal-text.ts'
import { printError } from './output/print.ts'
import type { RunOptions } from './commands/run.ts'
import type { SweepOptions } from './commands/sweep.ts'
import type { ResumeOptions } from './commands/resume.ts'
import type { WorkerOptions } from './commands/worker.ts'
import type { UpOptions } from './commands/up.ts'
import type { RunsOptions } from './commands/runs.ts'
import type { StatusOptions } from './commands/status.ts'
import type { ReportOptions } from './commands/report.ts'
import type { CompareOptions } from './commands/compare.ts'
import type { DoctorOptions } from './commands/doctor.ts'
import type { GcOptions } from './commands/gc.ts'
import type { RmOptions } from './commands/rm.ts'
import type { CheckOptions } from './commands/check.ts'
import type { KeyOptions } from './commands/key.ts'
import type { SignOptions } from './commands/sign.ts'
import type { MethodsOptions } from './commands/methods.ts'
import type { MetricsOptions } from './commands/metrics.ts'
import type { TrackOptions } from './commands/track.ts'
import type { VerifyOptions } from './commands/verify.ts'
import type { AdapterApplyOptions } from './commands/adapter-apply.ts'
import type { AdapterExportOptions } from './commands/adapter-export.ts'
import type { AdapterInspectOptions } from './commands/adapter-inspect.ts'
import type { AdapterMergeOptions } from './commands/adapter-merge.ts'
import type { StoreCopyOptions } from './commands/store-copy.ts'
import type { StoreExportOptions } from './commands/store-export.ts'
import type { StoreImportOptions } from './commands/store-import.ts'
import { devices } from '../learning/tensorflow/device.ts'
import { queues } from '../workflows/names.ts'

const collect = (value: string, earlier: readonly string[] = []) => [...earlier, value]
const temporal = ['--temporal <host:port>', 'a Temporal server (or TEMPORAL_ADDRESS)'] as const
const store = ['--store <url>', 'where results are kept: a directory or a URL'] as const
const device = [
  '--device <name>',
  `what to compute on, ${devices.join(' or ')} (or ZEROSHIFT_DEVICE)`,
] as const
const metricsPort = [
  '--metrics-port <port>',
  'have the worker serve /metrics for Prometheus, /healthz and /readyz',
] as const
const metricsHost = [
  '--metrics-host <address>',
  'where; 127.0.0.1 unless given, 0.0.0.0 for all addresses',
] as const
const requireSignature = (what: string) =>
  [
    '--require-signature <file>',
    `a public key that must have signed ${what}, or another one where the option is repeated`,
    collect,
  ] as const
const json = ['--json', 'standard output is one JSON object'] as const

/**
 * The commands, their arguments and their options. The file of a command is loaded when the command is executed.
 */
export function createProgram(): Command {
  const program = new Command('zeroshift')
    .description('Durable, reproducible machine-unlearning experiments')
    .exitOverride()
    .showHelpAfterError()
    .configureOutput({
      writeErr: (text) => {
        printError(shortened(text.trimEnd()))
      },
    })
    .configureHelp({ showGlobalOptions: true })

  program
    .command('run')
    .description('run an experiment, or go on with one')
    .argument('<config>', "the experiment's YAML file")
    .option('-S, --set <path=value>', 'override a part of the config; may be repeated', collect)
    .option('--dry-run', 'show the stages, and which of them are kept from earlier runs')
    .option('--detach', 'start it and leave it to the workers')
    .option(...json)
    .option(...store)
    .option(...temporal)
    .action(async (config: string, options: RunOptions) => {
      const { run } = await import('./commands/run.ts')
      process.exitCode = await run(config, options)
    })

  program
    .command('sweep')
    .description('run many experiments that share what they can, or go on with them')
    .argument('<config>', "the sweep's YAML file")
    .option('-S, --set <path=value>', 'set a part of every experiment; may be repeated', collect)
    .option('--dry-run', 'show the cells, what is shared and cached, and how long the rest takes')
    .option('--max-parallel <n>', "experiments under way at a time; the config's number unless given")
    .option('--detach', 'start it and leave it to the workers')
    .option(...json)
    .option(...store)
    .option(...temporal)
    .action(async (config: string, options: SweepOptions) => {
      const { sweep } = await import('./commands/sweep.ts')
      process.exitCode = await sweep(config, options)
    })

  program
    .command('resume')
    .description('go on with a run or a sweep that failed, was stopped, interrupted or paused')
    .argument('<id>', "a run's or a sweep's id")
    .option('--failed', "a sweep's failed cells as well, from where they were")
    .option('--restart-failed', "a sweep's failed cells as well, from their beginning")
    .option('--extend', "add the points that the sweep's config has more of now")
    .option('--max-parallel <n>', 'experiments of a sweep under way at a time')
    .option('--detach', 'start it and leave it to the workers')
    .option(...json)
    .option(...store)
    .option(...temporal)
    .action(async (id: string, options: ResumeOptions) => {
      const { resume } = await import('./commands/resume.ts')
      process.exitCode = await resume(id, options)
    })

  program
    .command('pause')
    .description('stop a run or a sweep at a checkpoint until it is resumed')
    .argument('<id>', "a run's or a sweep's id")
    .option(...temporal)
    .action(async (id: string, options: { temporal?: string }) => {
      const { pause } = await import('./commands/pause.ts')
      process.exitCode = await pause(id, options)
    })

  program
    .command('cancel')
    .description('end a run or a sweep; what is done is kept')
    .argument('<id>', "a run's or a sweep's id")
    .option(...temporal)
    .action(async (id: string, options: { temporal?: string }) => {
      const { cancel } = await import('./commands/cancel.ts')
      process.exitCode = await cancel(id, options)
    })

  program
    .command('worker')
    .description('work for runs on a Temporal server until stopped')
    .option(
      '--queue <name>',
      `a task queue to serve, may be repeated: ${queues.join(', ')}; all unless given`,
      collect,
    )
    .option('--allow-store <prefix>', 'refuse tasks whose results are not below it; may be repeated', collect)
    .option(
      '--allow-source <prefix>',
      'with --allow-store: data and checkpoints may be below it, too; may be repeated',
      collect,
    )
    .option(
      '--allow-tracking <url>',
      'with --allow-store: an MLflow server that runs may name; may be repeated',
      collect,
    )
    .option(...device)
    .option('--gpu <number>', 'which GPU, counted from 0: one a worker; 0 unless given')
    .option('--gpus <numbers>', 'a worker process for each, such as 0,1,2')
    .option('--build-id <id>', 'work as this version of a versioned deployment, such as a commit')
    .option(
      '--exit-when-idle <seconds>',
      'end once there was no stage to compute for so long; with --queue zeroshift-train alone',
    )
    .option('--ready-file <path>', 'a file that is there while the worker asks for work')
    .option(...metricsPort)
    .option(...metricsHost)
    .option(...temporal)
    .action(async (options: WorkerOptions) => {
      const { worker } = await import('./commands/worker.ts')
      process.exitCode = await worker(options)
    })

  program
    .command('setup')
    .description('prepare a Temporal server')
    .command('search-attributes')
    .description('have the server know what `runs` finds runs by')
    .option(...temporal)
    .action(async (options: { temporal?: string }) => {
      const { setupSearchAttributes } = await import('./commands/setup-search-attributes.ts')
      process.exitCode = await setupSearchAttributes(options)
    })

  program
    .command('up')
    .description(
      'Temporal, S3 and MLflow servers and a worker here, until stopped, for other commands in this directory',
    )
    .option('--port <port>', 'of the Temporal server; 7233 or the next free one unless given')
    .option('--ui', "with Temporal's web page, on the port 1000 above")
    .option('--s3-port <port>', 'of the S3 server; 7070 or the next free one unless given')
    .option('--no-s3', 'without an S3 server: results are read and written as plain files')
    .option('--mlflow-port <port>', 'of the MLflow server; 5000 or the next free one unless given')
    .option('--no-mlflow', 'without an MLflow server')
    .option(...metricsPort)
    .option(...metricsHost)
    .action(async (options: UpOptions) => {
      const { up } = await import('./commands/up.ts')
      process.exitCode = await up(options)
    })

  program
    .command('status')
    .description('the runs and sweeps, or the progress of one')
    .argument('[id]', "a run's or a sweep's id")
    .option('--watch', 'show it until it ends')
    .option(...json)
    .option(...temporal)
    .action(async (id: string | undefined, options: StatusOptions) => {
      const { status } = await import('./commands/status.ts')
      process.exitCode = await status(id, options)
    })

  program
    .command('runs')
    .description('list the runs that all the filters let through')
    .option('--data <name>', 'of a data set')
    .option('--method <name>', 'with an unlearning method')
    .option('--rank <number>', 'with a method whose adapters have a rank')
    .option('--status <state>', 'running, completed, failed or cancelled')
    .option('--config <hash>', "the last 8 digits of a run's id: what it computes, under any name")
    .option('--sweep <id>', 'of a sweep')
    .option('--limit <number>', 'the newest ones only')
    .option(...json)
    .option(...temporal)
    .action(async (options: RunsOptions) => {
      const { runs } = await import('./commands/runs.ts')
      process.exitCode = await runs(options)
    })

  program
    .command('report')
    .description('render the report of a run or a sweep again, from what is in the store')
    .argument('<id>', "a run's or a sweep's id")
    .option('--out <directory>', 'where to put it; beside the run in the store unless given')
    .option(...store)
    .action(async (id: string, options: ReportOptions) => {
      const { report } = await import('./commands/report.ts')
      process.exitCode = await report(id, options)
    })

  program
    .command('verify')
    .description('compute a run again from its report, and compare it byte by byte')
    .argument('<report>', "a run's report.json or its folder, a comparison's with --run, or a run's id")
    .option('--run <id>', 'one of the runs of a comparison')
    .option('--data-directory <directory>', "where the data set's files are")
    .option('--model-directory <directory>', "where the pre-trained checkpoint's files are")
    .option(...requireSignature('the report'))
    .option('--keep', 'leave what was computed in .zeroshift/verify, until the next verification of the run')
    .option(...json)
    .option(...store)
    .option(...temporal)
    .action(async (target: string, options: VerifyOptions) => {
      const { verify } = await import('./commands/verify.ts')
      process.exitCode = await verify(target, options)
    })

  program
    .command('compare')
    .description('put the results of runs side by side, and say in what their specs differ')
    .argument('<ids...>', 'ids of runs, or of sweeps for all of theirs')
    .option('--out <directory>', 'where to put the report; .zeroshift/comparisons/… unless given')
    .option(...json)
    .option(...store)
    .action(async (ids: string[], options: CompareOptions) => {
      const { compare } = await import('./commands/compare.ts')
      process.exitCode = await compare(ids, options)
    })

  program
    .command('track')
    .description('send what MLflow does not have of a run or a sweep yet, from what is in the store')
    .argument('<id>', "a run's or a sweep's id")
    .option('--tracking <uri>', "an MLflow server; the run's own unless given")
    .option(...store)
    .action(async (id: string, options: TrackOptions) => {
      const { track } = await import('./commands/track.ts')
      process.exitCode = await track(id, options)
    })

  const adapter = program
    .command('adapter')
    .description("LoRA adapters in PEFT's layout: out of runs, and onto checkpoints")
  const base = [
    '--base <checkpoint>',
    'the model that the adapter is for: a directory, hf://…, s3://… or a URL',
  ] as const

  adapter
    .command('export')
    .description(
      "write a method's adapter and the original model that it is for, as PEFT and transformers load them",
    )
    .argument('<run>', 'the id of a run on a pre-trained model')
    .argument('[label]', "the method's name in the table; needed where several have adapters")
    .requiredOption('--out <directory>', 'a new directory, for base/ and adapter/')
    .option(...store)
    .action(async (run: string, label: string | undefined, options: AdapterExportOptions) => {
      const { exportAdapter } = await import('./commands/adapter-export.ts')
      process.exitCode = await exportAdapter(run, label, options)
    })

  adapter
    .command('inspect')
    .description('show ranks, scales, layers, sizes and metadata')
    .argument('<adapter>', 'its directory')
    .option(...base)
    .option(...json)
    .action(async (directory: string, options: AdapterInspectOptions) => {
      const { inspectAdapter } = await import('./commands/adapter-inspect.ts')
      process.exitCode = await inspectAdapter(directory, options)
    })

  adapter
    .command('merge')
    .description('write the checkpoint with the adapter folded in')
    .argument('<adapter>', 'its directory')
    .requiredOption(...base)
    .requiredOption('--out <directory>', 'a new directory')
    .action(async (directory: string, options: AdapterMergeOptions) => {
      const { mergeAdapter } = await import('./commands/adapter-merge.ts')
      process.exitCode = await mergeAdapter(directory, options)
    })

  adapter
    .command('apply')
    .description('what images are taken for, without the adapter and with it')
    .argument('<adapter>', 'its directory')
    .argument('<images...>', 'image files, or folders of them')
    .requiredOption(...base)
    .option(...json)
    .action(async (directory: string, images: string[], options: AdapterApplyOptions) => {
      const { applyAdapter } = await import('./commands/adapter-apply.ts')
      process.exitCode = await applyAdapter(directory, images, options)
    })

  const stores = program.command('store').description('copies of results: between stores, and as one file')
  const someRuns = [
    '--run <id>',
    'this run or sweep, with all that it needs; may be repeated',
    collect,
  ] as const
  const keep = [
    '--keep <side>',
    'where both have results of one stage, and different ones: leave out those of the source (target), or delete those of the target (source)',
  ] as const

  stores
    .command('copy')
    .description('copy results into another store, verified; again, to go on or to bring it up to date')
    .argument('<from>', 'a store: a directory or a URL')
    .argument('<to>', 'a store, empty or with results')
    .option(...someRuns)
    .option(...keep)
    .option('--dry-run', 'show what would be copied')
    .option(...json)
    .action(async (from: string, to: string, options: StoreCopyOptions) => {
      const { copyStores } = await import('./commands/store-copy.ts')
      process.exitCode = await copyStores(from, to, options)
    })

  stores
    .command('export')
    .description('write results to a tar file')
    .argument('<file>', 'a new file')
    .option(...someRuns)
    .option(...json)
    .option(...store)
    .action(async (file: string, options: StoreExportOptions) => {
      const { exportStore } = await import('./commands/store-export.ts')
      process.exitCode = await exportStore(file, options)
    })

  stores
    .command('import')
    .description('copy what `store export` wrote into a store, verified')
    .argument('<file>', 'the tar file')
    .option(...keep)
    .option('--dry-run', 'show what would be copied')
    .option(...json)
    .option(...store)
    .action(async (file: string, options: StoreImportOptions) => {
      const { importStore } = await import('./commands/store-import.ts')
      process.exitCode = await importStore(file, options)
    })

  program
    .command('rm')
    .description('remove runs or sweeps: shows what goes and what is shared, and with --delete removes it')
    .argument('<ids...>', 'ids of runs or sweeps')
    .option('--delete', 'remove them, and free the stages and blobs that only they need')
    .option(
      '--cells',
      "a sweep's cells as well, except those that another sweep has or that were started by themselves",
    )
    .option(
      '--grace <time>',
      'leave stages and blobs that are younger to a later gc, such as 30m, 24h or 7d',
      '24h',
    )
    .option(...json)
    .option(...store)
    .option(...temporal)
    .action(async (ids: string[], options: RmOptions) => {
      const { rm } = await import('./commands/rm.ts')
      process.exitCode = await rm(ids, options)
    })

  program
    .command('gc')
    .description('list what no run in the store needs, and how much room it takes')
    .option('--delete', 'delete it')
    .option('--grace <time>', 'leave what is younger alone, such as 30m, 24h or 7d', '24h')
    .option(
      '--keep-last <n>',
      'keep the newest n runs, remove older ones; a sweep with its cells counts as one',
    )
    .option(
      '--keep-within <time>',
      'keep runs of this time before the newest one, such as 30d, remove older ones',
    )
    .option(...json)
    .option(...store)
    .option(...temporal)
    .action(async (options: GcOptions) => {
      const { gc } = await import('./commands/gc.ts')
      process.exitCode = await gc(options)
    })

  program
    .command('check')
    .description('check that everything in the store is as it was written; exit code 1 where it is not')
    .option('--read-data', 'read every blob, instead of comparing sizes')
    .option('--repair', 'delete what is damaged and can be computed again')
    .option('--grace <time>', 'what is younger may be in use, such as 30m, 24h or 7d', '1h')
    .option(...requireSignature('every stage of every run'))
    .option('--run <id>', 'with --require-signature: of this run alone; may be repeated', collect)
    .option(...json)
    .option(...store)
    .action(async (options: CheckOptions) => {
      const { check } = await import('./commands/check.ts')
      process.exitCode = await check(options)
    })

  const key = program.command('key').description('keys that results are signed with')

  key
    .command('new')
    .description('make a key: FILE has the private part, FILE.pub the public one; nothing is overwritten')
    .argument('<file>', 'a new file')
    .option(...json)
    .action(async (file: string, options: KeyOptions) => {
      const { newKey } = await import('./commands/key.ts')
      process.exitCode = await newKey(file, options)
    })

  key
    .command('show')
    .description('show the id and the public part of a key')
    .argument('<file>', 'a private or a public key')
    .option(...json)
    .action(async (file: string, options: KeyOptions) => {
      const { showKey } = await import('./commands/key.ts')
      process.exitCode = await showKey(file, options)
    })

  program
    .command('sign')
    .description('attest the results of a run that are in the store, whoever computed them')
    .argument('<run>', "a run's id")
    .option('--key <file>', 'the private key; that of ZEROSHIFT_SIGNING_KEY_FILE unless given')
    .option(...json)
    .option(...store)
    .action(async (id: string, options: SignOptions) => {
      const { sign } = await import('./commands/sign.ts')
      process.exitCode = await sign(id, options)
    })

  program
    .command('methods')
    .description('list the unlearning methods')
    .option(...json)
    .action(async (options: MethodsOptions) => {
      const { methods } = await import('./commands/methods.ts')
      process.exitCode = methods(options)
    })

  program
    .command('metrics')
    .description('list the figures that a run computes of each model')
    .option(...json)
    .action(async (options: MetricsOptions) => {
      const { metrics } = await import('./commands/metrics.ts')
      process.exitCode = metrics(options)
    })

  program
    .command('doctor')
    .description('check what Zeroshift needs on this machine')
    .argument('[config]', 'also check the data, store and tracking server of this experiment')
    .option(...device)
    .option(...json)
    .option(...store)
    .option(...temporal)
    .action(async (config: string | undefined, options: DoctorOptions) => {
      const { doctor } = await import('./commands/doctor.ts')
      process.exitCode = await doctor(config, options)
    })

  return program
}
