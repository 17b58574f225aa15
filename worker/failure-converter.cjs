// The SDK loads this file by its path if payloads are encrypted: it makes payloads of the messages
// and stack traces of failures, so that they are encrypted, too.
const { DefaultFailureConverter } = require('@temporalio/common')

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true })
