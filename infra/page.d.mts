/**
 * Returns the folder of the built page: index.html, icon.svg, page.js, page.css and charts.js, the
 * last three also compressed. `root` is the checkout.
 */
export function builtPage(root?: string): Promise<string>

/** Returns whether the page is built from the present sources. */
export function isPageBuilt(root?: string): boolean
