/** The names of query parameters that hold a secret. */
const SECRET = /(^|[-_.])(signature|sig|token|password|passwd|pwd|secret|credential)$/i

/** Whether a URL's parameter of this name is a credential, so that the URL belongs in no record. */
export function isSecretParameter(name: string): boolean {
  return SECRET.test(name)
}

/** The names of query parameters that may hold a secret. Their values are not shown either. */
const MAY_BE_SECRET = /(^|[-_.])(aws)?((access|api)?[-_]?key([-_]?id)?|auth|authorization|jwt|code)$/i

/**
 * A text that can be shown: the user, the password and the values of secret parameters in its URLs
 * are replaced by an ellipsis.
 */
export function withoutCredentials(text: string): string {
  return text
    .replace(/(\/\/)[^\s/?#"]*@/g, '$1…@')
    .replace(/(\/\/)[^\s/?#"@:]*:(?!\d+[/?#])[^\s"@]*@/g, '$1…@')
    .replace(/([?&#;])([\w.~%-]+)=([^\s&#"'<>]+)/g, (whole, before: string, name: string) =>
      isSecretParameter(name) || MAY_BE_SECRET.test(name) ? `${before}${name}=…` : whole,
    )
}
