/** The fixed sizes of the trainings that two targets of `rfa` contain (unlearning/methods/rfa/). */

/** Samples in a batch of the layers that `refitEpochs` trains anew. */
export const REFIT_BATCH = 128
/** Steps over all retained samples that refit the head of the target `leave-out`. */
export const LEAVE_OUT_STEPS = 300
