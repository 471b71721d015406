/**
 * What a person sees of the loop. In flow versions, rounds and this process's own counts, out flow one JSON document and
 * its changes. A restart reads versions and rounds again and counts from zero.
 */
package io.tidemill.feedback.loop;
