import { z } from 'zod'

/** Settings of a machine: the places of files and servers. They are never part of a stage's key. */
export const settingsSchema = z.strictObject({
  store: z
    .string()
    .min(1)
    .optional()
    .describe('where artifacts live: directory, file:// URL or s3://bucket/prefix'),
  tracking: z
    .strictObject({
      uri: z.url({ protocol: /^https?$/ }).describe('the address of the server'),
      experiment: z.string().min(1).optional().describe("the run's name unless given"),
      register: z.boolean().optional().describe('also put unlearned models into the model registry'),
    })
    .optional()
    .describe('an MLflow server'),
  dataDirectory: z.string().min(1).optional().describe("the directory that holds the data set's files"),
  modelDirectory: z
    .string()
    .min(1)
    .optional()
    .describe("where the pre-trained model's files are, if not where `model.from` says"),
  checkpointSeconds: z
    .number()
    .positive()
    .optional()
    .describe('seconds between the checkpoints of a stage, at least; 30 unless given'),
  heartbeatSeconds: z
    .number()
    .min(1)
    .optional()
    .describe(
      'seconds without a sign of life after which a stage is given to another worker; 30 unless given',
    ),
})

export type Settings = z.output<typeof settingsSchema>
