/**
 * {@code ./tidemill erase}: what is to be forgotten goes to a running mill by HTTP, and what comes of a retraining is told.
 *
 * <p>In flow a name and the mill's answers, out flow lines for a person. Repeated, it erases the same once more.
 */
package io.tidemill.standalone.erase;
