/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One pass over the descriptors; whatever is not known to belong to a memory stick refuses it. */
#include "wire/usb_descriptor.h"

#include "base/err.h"

/* bDescriptorType: USB 2.0 table 9-5; USB 3.2 table 9-6; USB Attached SCSI, 5.2.3 */
enum {
	TYPE_DEVICE = 1,
	TYPE_CONFIGURATION = 2,
	TYPE_INTERFACE = 4,
	TYPE_ENDPOINT = 5,
	TYPE_PIPE_USAGE = 0x24,
	TYPE_COMPANION = 0x30,
};

enum { DEVICE_BYTES = 18, CONFIGURATION_BYTES = 9, INTERFACE_BYTES = 9 };

/* USB Mass Storage Class, overview: table 1 and 2 */
enum {
	CLASS_STORAGE = 8,
	SUBCLASS_SCSI = 6,
	PROTOCOL_BULK_ONLY = 0x50,
	PROTOCOL_ATTACHED_SCSI = 0x62,
};

static int check_device(const uint8_t *d)
{
	if (d[0] != DEVICE_BYTES || d[1] != TYPE_DEVICE)
		return -ERR_SYNTAX;
	/* bDeviceClass: 0 says that the interfaces tell; bNumConfigurations. */
	if ((d[4] != 0 && d[4] != CLASS_STORAGE) || d[17] != 1)
		return -ERR_DENIED;
	return 0;
}

static int check_configuration(struct span rest)
{
	const uint8_t *d = rest.data;

	if (rest.size < CONFIGURATION_BYTES || d[0] != CONFIGURATION_BYTES ||
	    d[1] != TYPE_CONFIGURATION || (size_t)(d[2] | d[3] << 8) != rest.size)
		return -ERR_SYNTAX;
	return d[4] == 1 ? 0 : -ERR_DENIED; /* bNumInterfaces */
}

/* @first: its setting 0, the one that is in force. */
static int check_interface(const uint8_t *d, bool first)
{
	if (d[0] != INTERFACE_BYTES)
		return -ERR_SYNTAX;
	if (d[2] != 0 || (first && d[3] != 0) || d[5] != CLASS_STORAGE || d[6] != SUBCLASS_SCSI)
		return -ERR_DENIED;
	return d[7] == PROTOCOL_BULK_ONLY || (!first && d[7] == PROTOCOL_ATTACHED_SCSI)
		       ? 0
		       : -ERR_DENIED;
}

static int check_rest(struct span rest)
{
	bool seen = false;
	int err = 0;

	while (err == 0 && rest.size > 0) {
		const uint8_t *d = rest.data;

		if (rest.size < 2 || d[0] < 2 || d[0] > rest.size)
			return -ERR_SYNTAX;
		if (d[1] == TYPE_INTERFACE) {
			err = check_interface(d, !seen);
			seen = true;
		} else if (!seen || (d[1] != TYPE_ENDPOINT && d[1] != TYPE_PIPE_USAGE &&
				     d[1] != TYPE_COMPANION)) {
			err = -ERR_DENIED;
		}
		rest = (struct span){d + d[0], rest.size - d[0]};
	}
	return err == 0 && !seen ? -ERR_DENIED : err;
}

int usb_is_storage(struct span descriptors)
{
	struct span rest;
	int err;

	if (descriptors.size > USB_DESCRIPTOR_BYTES_MAX)
		return -ERR_TOO_LONG;
	if (descriptors.size < DEVICE_BYTES)
		return -ERR_SYNTAX;
	err = check_device(descriptors.data);
	rest = (struct span){descriptors.data + DEVICE_BYTES, descriptors.size - DEVICE_BYTES};
	if (err == 0)
		err = check_configuration(rest);
	if (err < 0)
		return err;
	return check_rest(
		(struct span){rest.data + CONFIGURATION_BYTES, rest.size - CONFIGURATION_BYTES});
}

bool usb_has_ids(struct span descriptors, uint16_t vendor, uint16_t product)
{
	const uint8_t *d = descriptors.data;

	/* idVendor, idProduct, least significant byte first */
	return descriptors.size >= DEVICE_BYTES && (d[8] | d[9] << 8) == vendor &&
	       (d[10] | d[11] << 8) == product;
}
