/**
 * Completions joined with what people said of them: comparisons, corrections, thumbs and stars become preferences.
 *
 * <p>In flow {@code completions} and {@code feedback}, out flow {@code preferences} and {@code rejected}. A restart
 * repeats what was not committed and doubles nothing; what waits for its other half waits on.
 */
package io.tidemill.preprocess.route;
