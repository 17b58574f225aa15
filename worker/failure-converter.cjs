// Loaded by the SDK, by its path: where payloads are encrypted, messages and stack traces of failures are payloads too.
const { DefaultFailureConverter } = require('@temporalio/common')

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true })
