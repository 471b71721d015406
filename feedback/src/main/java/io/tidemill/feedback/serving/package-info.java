/**
 * Which version answers, and how the next one takes over without a dropped request. In flow the events of
 * {@code checkpoints}, out flow downloaded, verified and loaded versions. A restart reads the topic from its beginning
 * and loads the live version again from its directory, without a download where that is intact.
 */
package io.tidemill.feedback.serving;
