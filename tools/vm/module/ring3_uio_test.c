// SPDX-License-Identifier: GPL-2.0-only
/*
 * A UIO device for tests: what no stock device has at once.
 *
 * Memory (each 32-bit word holds 0xMM000000 | offset, MM the number of the map plus 1):
 *   map0 "registers"  UIO_MEM_PHYS     one page
 *   map1 "mailbox"    UIO_MEM_PHYS     starts 0x80 into its page (offs)
 *   map2 ""           UIO_MEM_LOGICAL  two pages
 *   map3 "small"      UIO_MEM_LOGICAL  0x40 bytes of its page
 * Ports: port0 "scratch", 0xe0, 4 bytes: the scratch register of QEMU's pc-testdev.
 *
 * Attributes of the platform device:
 *   raise (w)   N events. Masked, they are counted and wake nobody.
 *   mode (rw)   "edge": irqcontrol alone masks. "level": an event masks the line, as a driver for a level line does.
 *   enabled (r) what irqcontrol and the events made of the mask.
 *   irqcontrol (r) how often it was called.
 * Unbinding the driver removes the UIO device while it is open. The memory stays until the module goes.
 * debugfs ring3-uio-test/mapN: the same memory as the kernel sees it.
 */
#include <linux/debugfs.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uio_driver.h>
#include <linux/version.h>

#define NAME "ring3-uio-test"
#define MAPS 4

struct test_device {
	struct uio_info info;
	spinlock_t lock;
	bool enabled;
	bool level;
	unsigned int calls;
};

static const struct {
	const char *name;
	int type;
	unsigned int order;
	unsigned long offset;
	unsigned long size;
} layout[MAPS] = {
	{ "registers", UIO_MEM_PHYS, 0, 0, PAGE_SIZE },
	{ "mailbox", UIO_MEM_PHYS, 0, 0x80, PAGE_SIZE },
	{ "", UIO_MEM_LOGICAL, 1, 0, 2 * PAGE_SIZE },
	{ "small", UIO_MEM_LOGICAL, 0, 0, 0x40 },
};

static struct platform_device *platform;
static struct dentry *folder;
static struct debugfs_blob_wrapper memory[MAPS];

static ssize_t raise_store(struct device *dev, struct device_attribute *attr, const char *text, size_t size)
{
	struct test_device *test = dev_get_drvdata(dev);
	unsigned int count;
	unsigned long flags;
	int error = kstrtouint(text, 0, &count);

	if (error)
		return error;
	spin_lock_irqsave(&test->lock, flags);
	while (count--) {
		if (!test->enabled) {
			atomic_inc(&test->info.uio_dev->event);
			continue;
		}
		if (test->level)
			test->enabled = false;
		uio_event_notify(&test->info);
	}
	spin_unlock_irqrestore(&test->lock, flags);
	return size;
}
static DEVICE_ATTR_WO(raise);

static ssize_t mode_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct test_device *test = dev_get_drvdata(dev);

	return sysfs_emit(text, "%s\n", test->level ? "level" : "edge");
}

static ssize_t mode_store(struct device *dev, struct device_attribute *attr, const char *text, size_t size)
{
	struct test_device *test = dev_get_drvdata(dev);

	if (!sysfs_streq(text, "level") && !sysfs_streq(text, "edge"))
		return -EINVAL;
	test->level = sysfs_streq(text, "level");
	return size;
}
static DEVICE_ATTR_RW(mode);

static ssize_t enabled_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct test_device *test = dev_get_drvdata(dev);

	return sysfs_emit(text, "%d\n", test->enabled);
}
static DEVICE_ATTR_RO(enabled);

static ssize_t irqcontrol_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct test_device *test = dev_get_drvdata(dev);

	return sysfs_emit(text, "%u\n", test->calls);
}
static DEVICE_ATTR_RO(irqcontrol);

static struct attribute *test_attrs[] = {
	&dev_attr_raise.attr,
	&dev_attr_mode.attr,
	&dev_attr_enabled.attr,
	&dev_attr_irqcontrol.attr,
	NULL,
};
ATTRIBUTE_GROUPS(test);

static int test_irqcontrol(struct uio_info *info, s32 on)
{
	struct test_device *test = info->priv;
	unsigned long flags;

	spin_lock_irqsave(&test->lock, flags);
	test->enabled = on != 0;
	test->calls++;
	spin_unlock_irqrestore(&test->lock, flags);
	return 0;
}

static int test_probe(struct platform_device *pdev)
{
	struct test_device *test = devm_kzalloc(&pdev->dev, sizeof(*test), GFP_KERNEL);
	int map;

	if (!test)
		return -ENOMEM;
	spin_lock_init(&test->lock);
	test->enabled = true;
	test->info.name = NAME;
	test->info.version = "1.4.2";
	test->info.irq = UIO_IRQ_CUSTOM;
	test->info.irqcontrol = test_irqcontrol;
	test->info.priv = test;
	for (map = 0; map < MAPS; map++) {
		struct uio_mem *mem = &test->info.mem[map];
		bool physical = layout[map].type == UIO_MEM_PHYS;

		mem->name = layout[map].name;
		mem->memtype = layout[map].type;
		mem->addr = physical ? virt_to_phys(memory[map].data) : (phys_addr_t)(uintptr_t)memory[map].data;
		mem->offs = layout[map].offset;
		mem->size = layout[map].size;
	}
	test->info.port[0].name = "scratch";
	test->info.port[0].start = 0xe0;
	test->info.port[0].size = 4;
	test->info.port[0].porttype = UIO_PORT_X86;
	platform_set_drvdata(pdev, test);
	return uio_register_device(&pdev->dev, &test->info);
}

static void test_unregister(struct platform_device *pdev)
{
	struct test_device *test = platform_get_drvdata(pdev);

	uio_unregister_device(&test->info);
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
static int test_remove(struct platform_device *pdev)
{
	test_unregister(pdev);
	return 0;
}
#else
static void test_remove(struct platform_device *pdev)
{
	test_unregister(pdev);
}
#endif

static struct platform_driver driver = {
	.probe = test_probe,
	.remove = test_remove,
	.driver = { .name = NAME, .dev_groups = test_groups },
};

static void free_memory(void)
{
	int map;

	for (map = 0; map < MAPS; map++)
		free_pages((unsigned long)memory[map].data, layout[map].order);
}

static int allocate_memory(void)
{
	int map;

	for (map = 0; map < MAPS; map++) {
		u32 *words = (u32 *)__get_free_pages(GFP_KERNEL | __GFP_COMP, layout[map].order);
		unsigned int word;

		if (!words)
			return -ENOMEM;
		memory[map].data = words;
		memory[map].size = PAGE_SIZE << layout[map].order;
		for (word = 0; word < memory[map].size / 4; word++)
			words[word] = (map + 1) << 24 | word * 4;
	}
	return 0;
}

static void show_memory(void)
{
	static const char * const names[MAPS] = { "map0", "map1", "map2", "map3" };
	int map;

	folder = debugfs_create_dir(NAME, NULL);
	for (map = 0; map < MAPS; map++)
		debugfs_create_blob(names[map], 0400, folder, &memory[map]);
}

static int __init test_init(void)
{
	int error = allocate_memory();

	if (!error)
		error = platform_driver_register(&driver);
	if (error) {
		free_memory();
		return error;
	}
	platform = platform_device_register_simple(NAME, -1, NULL, 0);
	if (IS_ERR(platform)) {
		platform_driver_unregister(&driver);
		free_memory();
		return PTR_ERR(platform);
	}
	show_memory();
	return 0;
}

static void __exit test_exit(void)
{
	debugfs_remove_recursive(folder);
	platform_device_unregister(platform);
	platform_driver_unregister(&driver);
	free_memory();
}

module_init(test_init);
module_exit(test_exit);
MODULE_DESCRIPTION("A UIO device for the tests of ring3");
MODULE_LICENSE("GPL");
