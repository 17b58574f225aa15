/** A text in which URLs have lost their user and password, so that it can be shown. */
export function withoutCredentials(text: string): string {
  return text.replace(/(\/\/)[^\s/?#]*@/g, '$1…@')
}
