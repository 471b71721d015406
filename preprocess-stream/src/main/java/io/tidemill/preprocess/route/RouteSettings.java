package io.tidemill.preprocess.route;

import io.tidemill.preprocess.state.Limits;
import io.tidemill.proto.SplitFunction;

/**
 * Settings of the route topology.
 *
 * @param feedback    how long feedback waits for its completion, and how many wait in a partition
 * @param completions how long a completion waits for feedback, and how many wait in a partition; what was said and by
 *                    whom is remembered as long
 */
public record RouteSettings(Limits feedback, Limits completions, TrustPolicy trust, SplitFunction split) {}
