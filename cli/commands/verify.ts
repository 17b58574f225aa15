import { declareCommand, flag, value, values } from '../declare.ts'
import { json, requireSignature, signWith, store, temporal } from '../options/shared.ts'

export const verify = declareCommand({
  name: 'verify',
  about:
    'compute a run again from its report, and compare it byte by byte; or check the certificate of a deletion request',
  arguments: [
    {
      name: '<report>',
      about:
        "a run's report.json or its folder, a comparison's with --run, a run's id, its beginning, or last, or the folder of a certificate",
    },
  ],
  options: [
    value('--run <id>', 'one of the runs of a comparison'),
    value('--data-directory <directory>', "where the data set's files are"),
    value('--model-directory <directory>', "where the pre-trained checkpoint's files are"),
    values('--given <place>', 'where a model from elsewhere is; may be repeated, in any order'),
    requireSignature('the report or the certificate'),
    value('--proof <file>', 'for a certificate: the proof that a sample is among the forgotten ones'),
    flag('--recompute', 'for a certificate: compute its model again, from the private part and the data'),
    value('--key <file>', 'with --recompute: the private key that attests the result in the certificate'),
    signWith,
    flag('--keep', 'keep the new results in .zeroshift/verify, until the next verification of the run'),
    json,
    store,
    temporal,
  ],
  action: async () => (await import('../actions/verify.ts')).verify,
})
