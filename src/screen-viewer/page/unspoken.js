/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for the parts of noVNC that speak what this gateway never does: other encodings, other ways to log in, a
 * clipboard. What is not served cannot be reached. */
export default class Unspoken {}
