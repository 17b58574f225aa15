/** Names of query parameters that hold what nobody else may read. */
const SECRET = /(^|[-_.])(signature|sig|token|password|passwd|pwd|secret|credential)$/i

/** Whether a URL's parameter of this name is a credential, so that the URL belongs in no record. */
export function isSecretParameter(name: string): boolean {
  return SECRET.test(name)
}

/** Also shown without what they hold: these may be credentials, or mean something else. */
const MAY_BE_SECRET = /(^|[-_.])(aws)?((access|api)?[-_]?key([-_]?id)?|auth|authorization|jwt|code)$/i

/**
 * A text in which URLs have lost their user and password and the values of secret parameters, so
 * that it can be shown.
 */
export function withoutCredentials(text: string): string {
  return text
    .replace(/(\/\/)[^\s/?#"]*@/g, '$1…@')
    .replace(/(\/\/)[^\s/?#"@:]*:(?!\d+[/?#])[^\s"@]*@/g, '$1…@')
    .replace(/([?&#;])([\w.~%-]+)=([^\s&#"'<>]+)/g, (whole, before: string, name: string) =>
      isSecretParameter(name) || MAY_BE_SECRET.test(name) ? `${before}${name}=…` : whole,
    )
}
