package io.tidemill.preprocess.route;

import io.tidemill.proto.v1.Principal;

/** How much what a rater says weighs in training. */
public interface TrustPolicy {
    /** Weight of an example made of this rater's feedback: 1 like an ordinary document, 0 not at all. */
    double weight(Principal rater);
}
