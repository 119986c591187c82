#include "fuzz.h"
#include "log.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The first byte is how much room there is. */
	size_t room = size ? data[0] + 1U : 1, len;
	char *out = malloc(room);

	HOLD(out);
	if (size)
		log_escape((const char *)data + 1, size - 1, out, room);
	else
		log_escape("", 0, out, room);
	len = strnlen(out, room);
	HOLD(len < room);
	for (size_t i = 0; i < len; i++) {
		HOLD(out[i] > ' ' && out[i] < 0x7f && out[i] != '"');
		if (out[i] == '\\') {
			HOLD(i + 3 < len && out[i + 1] == 'x');
			HOLD(strspn(out + i + 2, "0123456789abcdef") >= 2);
		}
	}
	free(out);
	return 0;
}
