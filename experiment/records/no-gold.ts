/** The reason for every figure that needs gold in an experiment without a gold model. */
export const NO_GOLD = 'the experiment has no gold model (gold: none)'

/** The reason for times and costs relative to gold if gold was trained elsewhere. */
export const GOLD_ELSEWHERE = 'gold was trained elsewhere, so that the cost of its training is not known'

/** The reason for figures that need weights if a model is given by its logits. */
export const NO_WEIGHTS = 'the model is given by its logits, and this figure needs its weights'
